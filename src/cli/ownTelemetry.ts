/** The telemetry of a command: an SDK of taut's own, set up by the OTEL_* variables. */
import { settle } from '../../otel/environment/settle.ts';
import { ofRun } from './run/runSpan.ts';
import type { SessionTelemetry } from './session.ts';
import { startOwn } from './startOwn.ts';

export const ownTelemetry: SessionTelemetry = {
  check: () => settle(process.env),
  start: (measured, { stateDir, sinkDir = stateDir, spoolLimit, run }, log) =>
    startOwn(sinkDir, {
      spoolLimit,
      ...(run?.carried && ofRun(run.carried)),
      measured,
      onWarning: (message) => log.warn(message),
      onDetail: (message) => log.info(message),
    }),
};
