/** What of OpenTelemetry's environment variables the rest of `otel/` and the command line go by. */
export { checkEnvironment } from './environment/check.ts';
export { type Destination, destination, isDisabled } from './environment/destination.ts';
export {
  type Env,
  SIGNALS,
  type SignalName,
  TelemetryConfigError,
  timeout,
  wholeNumber,
} from './environment/values.ts';
