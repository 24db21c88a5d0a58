/** The telemetry of a command: an SDK of taut's own, set up by the OTEL_* variables. */
import { join } from 'node:path';
import { settle } from '../../otel/environment/settle.ts';
import { startTelemetry } from '../../otel/sdk.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { placeProblem } from '../util/writable.ts';
import { reservedIds, resourceOf } from './run/runSpan.ts';
import type { SessionTelemetry } from './session.ts';
import { version } from './version.ts';

export const ownTelemetry: SessionTelemetry = {
  check: () => settle(process.env),
  start: (measured, { stateDir, sinkDir = stateDir, spoolLimit = DEFAULTS.spoolLimit, run }, log) =>
    startTelemetry({
      env: process.env,
      stateDir: sinkDir,
      sinkProblem: placeProblem(join(sinkDir, 'otlp')),
      spoolLimit,
      spoolProblem: placeProblem(join(sinkDir, 'spool')),
      serviceVersion: version(),
      ...(run?.carried && { firstSpan: reservedIds(run.carried), resource: resourceOf(run.carried) }),
      measured,
      onWarning: (message) => log.warn(message),
      onDetail: (message) => log.info(message),
    }),
};
