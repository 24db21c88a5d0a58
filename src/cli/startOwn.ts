/** Starts taut's own SDK for a command. Its embedded sink and what waits for a backend are in the state directory. */
import { join } from 'node:path';
import { startTelemetry, type Telemetry, type TelemetryOptions } from '../../otel/sdk.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { placeProblem } from '../util/writable.ts';
import { version } from './version.ts';

type Places = 'stateDir' | 'sinkProblem' | 'spoolLimit' | 'spoolProblem' | 'serviceVersion';

export interface OwnOptions extends Omit<TelemetryOptions, Places | 'env'> {
  /** Default: those of the process. */
  readonly env?: TelemetryOptions['env'];
  /** Bytes. */
  readonly spoolLimit?: number | undefined;
}

export function startOwn(
  stateDir: string,
  { env = process.env, spoolLimit = DEFAULTS.spoolLimit, ...more }: OwnOptions,
): Promise<Telemetry> {
  return startTelemetry({
    ...{ env, stateDir, spoolLimit, serviceVersion: version() },
    sinkProblem: placeProblem(join(stateDir, 'otlp')),
    spoolProblem: placeProblem(join(stateDir, 'spool')),
    ...more,
  });
}
