/** Checks all variables, and finds every mistake at once. It reads files of certificates, if there are any, and nothing else. */
import { destination } from './destination.ts';
import { transport } from './transport.ts';
import { type Env, mistakesOf, read, SIGNALS, TelemetryConfigError } from './values.ts';
import { VARIABLES } from './variables.ts';

/**
 * Nothing else is looked at where telemetry is disabled. Of a configuration file see `settle`.
 * @throws TelemetryConfigError
 */
export function checkEnvironment(env: Env): void {
  if (read(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return;
  const alone = VARIABLES.flatMap(({ names, check }) =>
    names.filter((name) => check && read(env, name) !== undefined).map((name) => () => check?.(env, name)),
  );
  const together = SIGNALS.flatMap((signal) => [() => destination(env, signal), () => transport(env, signal)]);
  const mistakes = mistakesOf([...alone, ...together]);
  if (mistakes.length > 0) throw new TelemetryConfigError(mistakes);
}
