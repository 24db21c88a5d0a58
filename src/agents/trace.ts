/** The trace of one agent process: `attach` is its root span, every operation on the process a child span. */
import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { ThreadState } from '../actuator/thread.ts';
import type { AgentRun } from '../discovery/decisions.ts';
import { creationTimeMs } from '../proc/clock.ts';
import { tautTracer } from '../telemetry/scope.ts';
import * as semconv from '../telemetry/semconv.ts';
import { spanContextOf } from '../telemetry/spanContext.ts';
import type { AgentTelemetry } from './agentTelemetry.ts';
import type { AgentIdentity } from './identity.ts';

/** A span of work that has ended. Times: milliseconds since the epoch. */
export interface Past {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
}

/** What a trace belongs to. */
export interface TraceTies {
  /** The root of an earlier trace of the same process, to which the new one is linked. */
  readonly before?: SpanContext | undefined;
  /** The run in which the process was started: the trace is a part of its trace. */
  readonly run?: AgentRun | undefined;
  /** What the agent's own telemetry is known by; called while the process is there. Its trace is linked to that. */
  readonly own?: (() => AgentTelemetry) | undefined;
}

/** How its root span has ended. */
interface Attached {
  readonly endMs: number;
  readonly attributes: Attributes;
}

interface Begun {
  readonly root: Span;
  readonly attributes: Attributes;
  readonly context: Context;
}

export class AgentTrace {
  readonly #identity: AgentIdentity;
  readonly #tracer = tautTracer();
  readonly #sightedAtMs: number;
  #ties: TraceTies;
  #attached: Attached | undefined;
  #begun: Begun | undefined;
  /** Spans to make when the hold ends; undefined when nothing is held. */
  #held: (() => void)[] | undefined;

  /**
   * Begins at the time of the sighting, milliseconds since the epoch. Makes the root span (and reads the process's
   * origin) only when the first span is needed.
   */
  constructor(identity: AgentIdentity, sightedAtMs: number, ties: TraceTies = {}) {
    this.#identity = identity;
    this.#sightedAtMs = sightedAtMs;
    this.#ties = ties;
  }

  /** The root span, which may have ended: what is told of the agent refers to it. */
  get root(): Span {
    return this.#begin().root;
  }

  /** Ends the root span: attaching is complete. */
  attached(endMs: number, attributes: Attributes): void {
    const { root } = this.#begin();
    root.setAttributes(attributes);
    root.end(endMs);
    this.#attached = { endMs, attributes };
  }

  /** The run in which the process was started, if there was one. */
  get run(): AgentRun | undefined {
    return this.#ties.run;
  }

  /**
   * The agent turns out to be started in a run. Its trace goes on in that of the run, under a second `attach` that is linked to
   * the first: what was exported can't be moved.
   */
  join(run: AgentRun): void {
    if (this.run?.context.spanId === run.context.spanId) return;
    const before = this.#begun?.root.spanContext();
    this.#ties = { ...this.#ties, before: before ?? this.#ties.before, run };
    if (!this.#begun || !this.#attached) return;
    this.#begun = undefined;
    this.attached(this.#attached.endMs, this.#attached.attributes);
  }

  /**
   * Spans of past work are made when the returned hold is disposed: to make one takes as long as to tune a knob, and the
   * next knob must not wait for it.
   */
  hold(): Disposable {
    this.#held ??= [];
    return { [Symbol.dispose]: () => this.#release() };
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const make of held ?? []) make();
  }

  /** Ends the trace. If attaching was never completed, ends the root span here, because its children refer to it. */
  end(): void {
    this.#release();
    if (this.#begun?.root.isRecording()) this.#begun.root.end();
  }

  /** Runs `body` in a child span, and records on it what `body` throws. */
  span<T>(name: string, body: (span: Span) => T): T {
    const span = this.#start(name, {});
    try {
      return body(span);
    } catch (error) {
      failWith(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** Makes a child span of work that has ended: making spans does not delay the work itself. */
  past(past: Past, more?: (span: Span) => void): void {
    if (this.#held) this.#held.push(() => this.#past(past, more));
    else this.#past(past, more);
  }

  #past({ name, startMs, endMs, attributes }: Past, more?: (span: Span) => void): void {
    const span = this.#start(name, attributes, startMs);
    more?.(span);
    span.end(endMs);
  }

  #start(name: string, attributes: Attributes, startTime?: number): Span {
    const begun = this.#begin();
    const options = {
      attributes: { ...begun.attributes, ...attributes },
      ...(startTime === undefined ? {} : { startTime }),
    };
    return this.#tracer.startSpan(name, options, begun.context);
  }

  #begin(): Begun {
    if (this.#begun) return this.#begun;
    const attributes = attributesOf(this.#identity);
    const { before, run } = this.#ties;
    const own = ownTelemetry(this.#ties);
    const links = [...(before ? [{ context: before }] : []), ...own.links];
    const around = run ? trace.setSpanContext(ROOT_CONTEXT, run.context) : ROOT_CONTEXT;
    const ofRun = run?.id === undefined ? {} : { [semconv.ATTR_TAUT_RUN_ID]: run.id };
    const all = { ...attributes, ...ofRun, ...own.attributes };
    const options = { kind: SpanKind.INTERNAL, startTime: this.#sightedAtMs, attributes: all, links };
    const root = this.#tracer.startSpan(semconv.SPAN_ATTACH, options, around);
    this.#begun = { root, attributes, context: trace.setSpan(context.active(), root) };
    return this.#begun;
  }
}

/** The link to the agent's own span, unless that is the run's, and what the agent is called there. */
function ownTelemetry({ own, run }: TraceTies): { readonly links: Link[]; readonly attributes: Attributes } {
  const { parent, attributes } = own?.() ?? { parent: undefined, attributes: {} };
  const isRun = parent?.spanId === run?.context.spanId;
  return {
    links: parent && !isRun ? [{ context: spanContextOf(parent), attributes }] : [],
    attributes: peerAttributes(attributes),
  };
}

/** A span has the names of another service as those of a peer: `service.name` is taut's. */
function peerAttributes(attributes: Readonly<Record<string, string>>): Attributes {
  const named = [
    [semconv.ATTR_SERVICE_PEER_NAME, attributes['service.name']],
    [semconv.ATTR_SERVICE_PEER_NAMESPACE, attributes['service.namespace']],
    [semconv.ATTR_SESSION_ID, attributes[semconv.ATTR_SESSION_ID]],
  ] as const;
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
}

export function failWith(span: Span, error: unknown): void {
  const { code, name, message } = error as Error & { readonly code?: unknown };
  fail(span, typeof code === 'string' ? code : name, message);
}

/** @param type what kind of failure it is, one of a few words: `error.type`. */
export function fail(span: Span, type: string, message: string): void {
  span.setAttribute(semconv.ATTR_ERROR_TYPE, type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

export function outcomesOf(threads: ReadonlyMap<number, ThreadState>): string[] {
  return [...threads.values()].map(({ outcome }) => outcome);
}

/** The attributes that every span about a process has. */
export function processAttributes({ pid, startTicks, name, rule }: Omit<AgentIdentity, 'attachPath' | 'origin'>) {
  return {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(creationTimeMs(startTicks)).toISOString(),
    [semconv.ATTR_TAUT_AGENT_NAME]: name,
    [semconv.ATTR_TAUT_RULE_ID]: rule,
  };
}

function attributesOf(identity: AgentIdentity): Attributes {
  const { executable, container } = identity.origin();
  return {
    ...processAttributes(identity),
    [semconv.ATTR_TAUT_ATTACH_PATH]: identity.attachPath,
    ...(executable === undefined ? {} : { [semconv.ATTR_PROCESS_EXECUTABLE_NAME]: executable }),
    ...(container === undefined ? {} : { [semconv.ATTR_CONTAINER_ID]: container }),
  };
}
