/** Sends the span `run` to a backend. */
import { startOwn } from '../startOwn.ts';
import { beginRunSpan, endRunSpan, ofRun } from './runSpan.ts';
import type { Ended } from './tellFile.ts';

/** Nothing was measured: there are no metrics, and no events. */
const TRACES_ALONE = { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };

/** The command has ended, and somebody waits: what is not sent by then is on disk, for the next taut. */
const WITHIN_MS = 500;

export async function tellBackend({ carried, end, pid, options, log }: Ended): Promise<void> {
  const telemetry = await startOwn(options.stateDir, {
    env: { ...process.env, ...TRACES_ALONE },
    spoolLimit: options.spoolLimit,
    ...ofRun(carried),
    onWarning: log.warn,
    onDetail: log.debug,
  });
  try {
    const span = beginRunSpan(carried, pid);
    if (span) endRunSpan(span, end);
  } finally {
    await telemetry.shutdown(WITHIN_MS);
  }
}
