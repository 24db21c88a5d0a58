/** Sends the span `run` to a backend. */
import { startTelemetry } from '../../../otel/sdk.ts';
import { DEFAULTS } from '../../config/defaults.ts';
import { placeProblem } from '../../util/writable.ts';
import { version } from '../version.ts';
import { beginRunSpan, endRunSpan, reservedIds, resourceOf } from './runSpan.ts';
import type { Ended } from './tellFile.ts';

/** Nothing was measured: there are no metrics, and no events. */
const TRACES_ALONE = { OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };

export async function tellBackend({ carried, end, pid, options, log }: Ended): Promise<void> {
  const { stateDir, spoolLimit = DEFAULTS.spoolLimit } = options;
  await using _telemetry = await startTelemetry({
    env: { ...process.env, ...TRACES_ALONE },
    stateDir,
    sinkProblem: placeProblem(`${stateDir}/otlp`),
    spoolLimit,
    spoolProblem: placeProblem(`${stateDir}/spool`),
    serviceVersion: version(),
    resource: resourceOf(carried),
    firstSpan: reservedIds(carried),
    onWarning: log.warn,
    onDetail: log.debug,
  });
  const span = beginRunSpan(carried, pid);
  if (span) endRunSpan(span, end);
}
