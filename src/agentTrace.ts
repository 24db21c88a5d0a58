/** The trace of one agent process: `attach` is its root, everything that is done to it a child. */
import { type Attributes, type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import * as semconv from '../otel/semconv.ts';
import type { ThreadState } from './actuator/thread.ts';
import type { AgentIdentity } from './agent.ts';
import { epochMsOfTicks } from './clock.ts';
import type { Signals } from './signals.ts';

export class AgentTrace {
  readonly root: Span;
  readonly #signals: Signals;
  readonly #attributes: Attributes;
  readonly #context: Context;

  /** Begins at the time of the sighting, milliseconds since the epoch. */
  constructor(identity: AgentIdentity, signals: Signals, sightedAtMs: number) {
    this.#signals = signals;
    this.#attributes = attributesOf(identity);
    this.root = signals.tracer.startSpan(
      semconv.SPAN_ATTACH,
      { root: true, kind: SpanKind.INTERNAL, startTime: sightedAtMs, attributes: this.#attributes },
      context.active(),
    );
    this.#context = trace.setSpan(context.active(), this.root);
  }

  /** Runs `body` in a child span; what it throws is on the span, too. `endedMs`: when what counts of it was over. */
  span<T>(name: string, body: (span: Span, end: (endedMs: number) => void) => T): T {
    const span = this.#signals.tracer.startSpan(name, { attributes: this.#attributes }, this.#context);
    let endedMs: number | undefined;
    try {
      return body(span, (ms) => {
        endedMs = ms;
      });
    } catch (error) {
      span.setAttribute(semconv.ATTR_ERROR_TYPE, (error as Error).name);
      fail(span, (error as Error).message);
      throw error;
    } finally {
      span.end(endedMs);
    }
  }

  /** A child span of what is over: nothing that is timed waits for it to be made. Times: milliseconds since the epoch. */
  past(name: string, startMs: number, endMs: number, attributes: Attributes, more?: (span: Span) => void): void {
    const all = { ...this.#attributes, ...attributes };
    const span = this.#signals.tracer.startSpan(name, { attributes: all, startTime: startMs }, this.#context);
    more?.(span);
    span.end(endMs);
  }

  /** Counts outcomes: as attributes of the span, and as operations. */
  account(span: Span, operation: string, outcomes: Iterable<string>): void {
    const counts = new Map<string, number>();
    for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    for (const [outcome, n] of counts) {
      span.setAttribute(`${semconv.ATTR_TAUT_THREADS}.${outcome}`, n);
      this.#signals.operation(operation, outcome, n);
    }
  }
}

export function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

export function outcomesOf(threads: ReadonlyMap<number, ThreadState>): string[] {
  return [...threads.values()].map(({ outcome }) => outcome);
}

function attributesOf({ pid, startTicks, name, rule, attachPath, executable }: AgentIdentity): Attributes {
  return {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(epochMsOfTicks(startTicks)).toISOString(),
    [semconv.ATTR_TAUT_AGENT_NAME]: name,
    [semconv.ATTR_TAUT_RULE_ID]: rule,
    [semconv.ATTR_TAUT_ATTACH_PATH]: attachPath,
    ...(executable === undefined ? {} : { [semconv.ATTR_PROCESS_EXECUTABLE_NAME]: executable }),
  };
}
