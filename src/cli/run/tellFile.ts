/** Writes the span `run` into the embedded sink, without an SDK. */
import { appendSpan } from '../../../otel/local/oneSpan.ts';
import * as semconv from '../../telemetry/semconv.ts';
import type { TuneOptions } from '../given.ts';
import type { Carried, RunSpan } from './carried.ts';
import type { CommandEnd } from './held.ts';
import type { QuietLog } from './quietLog.ts';
import { endAttributes, runAttributes, runResource } from './runAttributes.ts';

/** A command that has ended. */
export interface Ended {
  readonly carried: Carried;
  readonly span: RunSpan;
  readonly end: CommandEnd;
  readonly pid: number | undefined;
  readonly options: TuneOptions;
  readonly log: QuietLog;
}

export async function tellFile({ carried, span, end, pid, options }: Ended): Promise<void> {
  const { attributes, failure } = endAttributes(end);
  const { startMs, parent } = span;
  await appendSpan(options.stateDir, carried.telemetry, {
    ...{ name: semconv.SPAN_RUN, context: span, parent, startMs, endMs: end.atMs, failure },
    attributes: { ...runAttributes(span, carried, pid), ...attributes },
    resource: runResource(carried),
  });
}
