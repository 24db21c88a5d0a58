/** Appends one span to the embedded sink without an SDK, which takes longer to load than many a command takes. */
import { arch, hostname, release } from 'node:os';
import { join } from 'node:path';
import { version } from '../../src/native/package.ts';
import { SCHEMA_URL } from '../../src/telemetry/schema.ts';
import * as semconv from '../../src/telemetry/semconv.ts';
import type { TraceContext } from '../../src/telemetry/traceContext.ts';
import { uuid } from '../../src/util/uuid.ts';
import { attributesOf } from '../environment/pairs.ts';
import type { Env } from '../environment.ts';
import { placeAttributes } from '../place.ts';
import { JsonLines } from './jsonLines.ts';

type Values = Readonly<Record<string, unknown>>;

export interface OneSpan {
  readonly name: string;
  readonly context: TraceContext;
  readonly parent: TraceContext | undefined;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Values;
  /** Why it has failed, if it has. */
  readonly failure: string | undefined;
  /** Beside what says where taut runs. */
  readonly resource: Values;
}

/** OTLP's numbers for what the SDK's serializer writes as well. */
const INTERNAL = 1;
const ERROR = 2;
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** At once, if the file has room: what is being loaded meanwhile would be waited for. @throws Error of the file system. */
export async function appendSpan(stateDir: string, env: Env, span: OneSpan): Promise<void> {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: pairs(resourceOf(env, span.resource)), droppedAttributesCount: 0 },
        scopeSpans: [
          { scope: { name: semconv.SCOPE_NAME, version: version() }, spans: [json(span)], schemaUrl: SCHEMA_URL },
        ],
        schemaUrl: SCHEMA_URL,
      },
    ],
  };
  const file = new JsonLines(join(stateDir, 'otlp/traces.jsonl'));
  const line = Buffer.from(JSON.stringify(request));
  if (!file.appendAtOnce(line)) await file.append(line);
}

function json({ name, context, parent, startMs, endMs, attributes, failure }: OneSpan) {
  return {
    ...{ traceId: context.traceId, spanId: context.spanId },
    ...(parent && { parentSpanId: parent.spanId }),
    ...(context.state !== undefined && { traceState: context.state }),
    ...{ name, kind: INTERNAL, startTimeUnixNano: nanoseconds(startMs), endTimeUnixNano: nanoseconds(endMs) },
    ...{ attributes: pairs(attributes), droppedAttributesCount: 0 },
    ...{ events: [], droppedEventsCount: 0, links: [], droppedLinksCount: 0 },
    status: failure === undefined ? { code: 0 } : { code: ERROR, message: failure },
    flags: (context.isSampled ? 1 : 0) | HAS_IS_REMOTE | (parent ? IS_REMOTE : 0),
  };
}

/** In the order of the SDK's: what the user says comes last. */
function resourceOf(env: Env, more: Values): Values {
  const given = attributesOf(env, 'OTEL_RESOURCE_ATTRIBUTES');
  const name = env['OTEL_SERVICE_NAME']?.trim();
  return {
    ...{ 'service.name': 'taut', 'service.version': version(), 'service.instance.id': uuid() },
    ...{ 'os.type': 'linux', 'os.version': release() },
    ...{ 'host.name': hostname(), 'host.arch': arch() === 'x64' ? 'amd64' : arch() },
    ...placeAttributes(),
    ...more,
    ...given,
    ...(name && { 'service.name': name }),
  };
}

function pairs(values: Values) {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: value } : { stringValue: String(value) },
  }));
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
