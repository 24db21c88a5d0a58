/** The trace of one agent process: `attach` is its root span, every operation on the process a child span. */
import {
  type Attributes,
  type Context,
  context,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { ThreadState } from '../actuator/thread.ts';
import { creationTimeMs } from '../proc/clock.ts';
import { tautTracer } from '../telemetry/scope.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity } from './identity.ts';

/** A span of work that has ended. Times: milliseconds since the epoch. */
export interface Past {
  readonly name: string;
  readonly startMs: number;
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
  readonly #before: SpanContext | undefined;
  #begun: Begun | undefined;
  /** Spans to make when the hold ends; undefined when nothing is held. */
  #held: (() => void)[] | undefined;

  /**
   * Begins at the time of the sighting, milliseconds since the epoch. Makes the root span (and reads the process's
   * origin) only when the first span is needed. @param before the root of an earlier trace of the same process, if any:
   * the new one is linked to it.
   */
  constructor(identity: AgentIdentity, sightedAtMs: number, before?: SpanContext) {
    this.#identity = identity;
    this.#sightedAtMs = sightedAtMs;
    this.#before = before;
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
    const links = this.#before ? [{ context: this.#before }] : [];
    const options = { root: true, kind: SpanKind.INTERNAL, startTime: this.#sightedAtMs, attributes, links };
    const root = this.#tracer.startSpan(semconv.SPAN_ATTACH, options, context.active());
    this.#begun = { root, attributes, context: trace.setSpan(context.active(), root) };
    return this.#begun;
  }
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
