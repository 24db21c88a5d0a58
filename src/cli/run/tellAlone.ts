/**
 * Exports the span `run` where nothing was measured: the command ended before that began, or another taut has taken it over.
 * For the embedded sink no SDK is loaded, because taut ends only after this.
 */
import { destination } from '../../../otel/environment.ts';
import type { TuneOptions } from '../given.ts';
import type { Carried } from './carried.ts';
import type { HeldCommand } from './held.ts';
import type { QuietLog } from './quietLog.ts';
import { tellFile } from './tellFile.ts';

interface Alone {
  readonly carried: Carried;
  /** Whose command has ended. */
  readonly held: HeldCommand;
  readonly options: TuneOptions;
  readonly log: QuietLog;
}

/** Never rejects: what can't be exported is said at most. With a backend that does not answer it takes half a second more. */
export async function tellAlone(alone: Alone): Promise<void> {
  const { carried, held, options, log } = alone;
  const end = held.end();
  if (!carried.span?.isSampled || !end) return;
  try {
    const ended = { carried, span: carried.span, end, pid: held.pid, options, log };
    if (destination(carried.telemetry, 'traces').kind === 'files') await tellFile(ended);
    else await (await import('./tellBackend.ts')).tellBackend(ended);
  } catch (error) {
    log.debug(`the span run is not exported: ${(error as Error).message}`);
  }
}
