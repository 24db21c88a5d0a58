/**
 * What an agent's own telemetry is known by, as the environment says with which it was started: TRACEPARENT, OTEL_SERVICE_NAME, and of
 * OTEL_RESOURCE_ATTRIBUTES `service.*` and `session.id`. An environment has secrets: nothing else of it leaves this file.
 */
import { isGone, type ProcHandle } from '../proc/handle.ts';
import { attributePairs, MalformedListError } from '../telemetry/attributeList.ts';
import { parseTraceparent, type TraceContext } from '../telemetry/traceContext.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';

export interface AgentTelemetry {
  /** The span that the agent continues. */
  readonly parent: TraceContext | undefined;
  /** `service.*` and `session.id`, by OpenTelemetry's names. */
  readonly attributes: Readonly<Record<string, string>>;
}

const NOTHING: AgentTelemetry = { parent: undefined, attributes: {} };
/** Bytes that are read: of a larger environment what comes later is not looked at. */
const MOST_BYTES = 1 << 20;
/** Bytes of a value that is looked at. */
const MOST_VALUE = 8_192;
/** Attributes that are taken. */
const MOST_ATTRIBUTES = 16;
const NAMES = ['TRACEPARENT', 'OTEL_SERVICE_NAME', 'OTEL_RESOURCE_ATTRIBUTES'] as const;
type Name = (typeof NAMES)[number];
const TAKEN = /^(service\.[a-z][\w.]{0,63}|session\.id)$/;

/** @param say is told why there is nothing. It is never told what was read. */
export function readAgentTelemetry(process: ProcHandle, say: (why: string) => void): AgentTelemetry {
  const of = `the own telemetry of process ${process.id}`;
  try {
    const environ = process.read('environ', MOST_BYTES);
    try {
      return telemetryIn(environ, (why) => say(`${of}: ${why}`));
    } finally {
      environ.fill(0);
    }
  } catch (error) {
    say(`${of} is not known: ${isGone(error) ? 'it has ended' : (error as Error).message}`);
    return NOTHING;
  }
}

/** The same of the text of `/proc/ID/environ`, whose last entry may be cut off. */
export function telemetryIn(environ: Buffer, say: (why: string) => void = () => {}): AgentTelemetry {
  const refuse = (name: Name, why = 'it is malformed') => say(`${name} does not count: ${why}`);
  const values = valuesIn(environ, (name) => refuse(name, `it is longer than ${MOST_VALUE} bytes`));
  const text = values.get('TRACEPARENT');
  const parent = text ? parseTraceparent(text) : undefined;
  if (text !== undefined && text !== '' && !parent) refuse('TRACEPARENT');
  const attributes = attributesIn(values.get('OTEL_RESOURCE_ATTRIBUTES') ?? '');
  if (!attributes) refuse('OTEL_RESOURCE_ATTRIBUTES');
  const name = values.get('OTEL_SERVICE_NAME')?.trim();
  return {
    parent,
    attributes: { ...attributes, ...(name && { 'service.name': printable(name, MOST_OF_A_NAME) }) },
  };
}

/** The first value of each of the names, as `getenv` finds it. Only these are decoded. */
function valuesIn(environ: Buffer, onLong: (name: Name) => void): Map<Name, string> {
  const values = new Map<Name, string>();
  for (let at = 0; at < environ.length && values.size < NAMES.length; ) {
    const end = environ.indexOf(0, at);
    if (end < 0) break; // cut off
    for (const name of NAMES) {
      const from = at + name.length + 1;
      if (values.has(name) || environ.toString('latin1', at, Math.min(from, end)) !== `${name}=`) continue;
      const isLong = end - from > MOST_VALUE;
      if (isLong) onLong(name);
      values.set(name, isLong ? '' : environ.toString('utf8', from, end));
    }
    at = end + 1;
  }
  return values;
}

/** Undefined when the list is malformed. */
function attributesIn(list: string): Record<string, string> | undefined {
  try {
    const taken = attributePairs(list).filter(([key, value]) => TAKEN.test(key) && value !== '');
    const some = taken.slice(0, MOST_ATTRIBUTES);
    return Object.fromEntries(some.map(([key, value]) => [key, printable(value, MOST_OF_A_NAME)]));
  } catch (error) {
    if (error instanceof MalformedListError) return undefined;
    throw error;
  }
}
