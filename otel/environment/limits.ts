/** How much a span and a log record may have. A limit of its own comes before the one for all attributes. */
import { type Env, wholeNumber } from './values.ts';

/** Of each count, by default. */
const COUNT = 128;

interface AttributeLimits {
  readonly attributeCountLimit: number;
  /** Characters; infinite by default. */
  readonly attributeValueLengthLimit: number;
}

/** @throws TelemetryConfigError */
export function spanLimits(env: Env) {
  const count = (what: string) => wholeNumber(env, `OTEL_${what}_COUNT_LIMIT`, COUNT, 0);
  return {
    ...attributeLimits(env, 'SPAN'),
    eventCountLimit: count('SPAN_EVENT'),
    linkCountLimit: count('SPAN_LINK'),
    attributePerEventCountLimit: count('EVENT_ATTRIBUTE'),
    attributePerLinkCountLimit: count('LINK_ATTRIBUTE'),
  };
}

/** @throws TelemetryConfigError */
export function attributeLimits(env: Env, of: 'SPAN' | 'LOGRECORD'): AttributeLimits {
  const limit = (what: string, fallback: number, min: number) =>
    wholeNumber(env, `OTEL_${of}_${what}`, wholeNumber(env, `OTEL_${what}`, fallback, min), min);
  return {
    attributeCountLimit: limit('ATTRIBUTE_COUNT_LIMIT', COUNT, 0),
    // The SDK takes no 0 here.
    attributeValueLengthLimit: limit('ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY, 1),
  };
}
