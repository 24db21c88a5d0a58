/**
 * Trace context as text: W3C's `traceparent` and `tracestate`, which OpenTelemetry carries in the environment as TRACEPARENT and
 * TRACESTATE. Pure, and light: it is loaded before the command of `taut run` is started.
 */

/** A span of which only the ids are known. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** W3C's `tracestate`, as it was given. */
  readonly state?: string;
}

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** Version 00 has four fields; a later one may have more, and 255 is none. */
const FIRST = '00';
const NO_VERSION = 'ff';

const MOST_ENTRIES = 32;
const KEY = '[a-z][a-z\\d_*/-]{0,255}|[a-z\\d][a-z\\d_*/-]{0,240}@[a-z][a-z\\d_*/-]{0,13}';
const ENTRY = new RegExp(
  `^[ \\t]*(?:(${KEY})=([\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]))?[ \\t]*$`,
);
const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const MEMBER = new RegExp(
  `^[ \\t]*${TOKEN}[ \\t]*=[ \\t]*[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]*[ \\t]*(?:;[^,]*)?$`,
);
/** W3C's limit for all of `baggage`. */
const MOST_BAGGAGE = 8_192;

/** Undefined for what W3C's Trace Context does not allow. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === NO_VERSION || (version === FIRST && more !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceContext): string {
  return `${FIRST}-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Whether it is a list `key=value,key=value` as W3C's Trace Context wants it. */
export function isTracestate(text: string): boolean {
  const entries = text.split(',').map((entry) => ENTRY.exec(entry));
  const keys = entries.flatMap((entry) => entry?.[1] ?? []);
  return entries.every((entry) => entry) && keys.length <= MOST_ENTRIES && new Set(keys).size === keys.length;
}

/** Whether it is a list `key=value;property,key=value` as W3C's Baggage wants it. */
export function isBaggage(text: string): boolean {
  return text.length <= MOST_BAGGAGE && text.split(',').every((member) => MEMBER.test(member));
}
