import { DiagLogLevel } from '@opentelemetry/api';
import { type Env, oneOf } from './values.ts';
import { LOG_LEVELS } from './variables.ts';

const LEVELS = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
} as const;

/** From which level on the SDK may say something. @throws TelemetryConfigError */
export function logLevel(env: Env): DiagLogLevel {
  return LEVELS[oneOf(env, 'OTEL_LOG_LEVEL', LOG_LEVELS) ?? 'warn'];
}
