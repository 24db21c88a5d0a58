/** The trace that a test begins outside. */

/** The context of a made-up CI job that starts an agent. */
export interface Job {
  readonly traceId: string;
  readonly spanId: string;
  /** For the variable. */
  readonly traceparent: string;
}

export function job(): Job {
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('');
  const [traceId, spanId] = [`1${hex(31)}`, `1${hex(15)}`];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}
