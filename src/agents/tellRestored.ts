/**
 * How it is told what became of threads that were put back: counts by outcome, and an event for each that could not be
 * put back. Where there is no agent's trace to tell it in (after a crash, by `taut restore`), each process gets a trace of
 * its own, of one span: `restore`.
 */
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { Restored } from '../actuator/restore.ts';
import { creationTimeMs } from '../proc/clock.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Signals } from './signals.ts';
import { fail } from './trace.ts';

/** What was put back at once, and why. Times: milliseconds since the epoch. */
export interface Restoration {
  readonly results: readonly Restored[];
  readonly reason: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Tells what was put back beside any agent's trace: one span `restore` for each process and knob. */
export function tellRestored(signals: Signals, { results, reason, startMs, endMs }: Restoration): void {
  const groups = Map.groupBy(results, (r) => JSON.stringify([r.pid, r.processStartTicks, r.knob]));
  for (const [first, ...others] of groups.values()) {
    if (!first) continue;
    const attributes = { ...attributesOf(first), [semconv.ATTR_TAUT_RESTORE_REASON]: reason };
    const options = { root: true, kind: SpanKind.INTERNAL, startTime: startMs, attributes };
    const span = signals.tracer.startSpan(semconv.SPAN_RESTORE, options);
    account(signals, span, 'restore', [first, ...others]);
    span.end(endMs);
  }
}

/**
 * Counts outcomes, as attributes of the span and as operations, and tells of each thread that is not at its original, but
 * for those whose drift `isKnown`.
 */
export function account(
  signals: Signals,
  span: Span,
  operation: 'revert' | 'restore',
  results: readonly Restored[],
  isKnown: (drifted: Restored) => boolean = () => false,
): void {
  for (const [outcome, { length }] of Map.groupBy(results, (r) => r.outcome))
    span.setAttribute(`${semconv.ATTR_TAUT_THREADS}.${outcome}`, length);
  for (const [knob, of] of Map.groupBy(results, (r) => r.knob)) {
    // One that was born with taut's value and was never on record itself was not tuned either: it is contained.
    const [heirs, own] = [of.filter((r) => r.isHeir), of.filter((r) => !r.isHeir)];
    signals.operations(
      operation,
      tallyOf(own, (r) => r.outcome),
      knob,
    );
    signals.operations(
      'contain',
      tallyOf(heirs, (r) => (r.outcome === 'restored' ? 'ok' : r.outcome)),
      knob,
    );
  }
  for (const result of results) {
    if (result.outcome === 'drifted' && !isKnown(result)) signals.drifted(result);
    if (result.outcome === 'failed') signals.restoreFailed(result);
  }
  if (results.some((r) => r.outcome === 'failed')) fail(span, 'some threads could not be put back');
}

function tallyOf<T>(items: readonly T[], outcomeOf: (item: T) => string): Map<string, number> {
  return new Map([...Map.groupBy(items, outcomeOf)].map(([outcome, { length }]) => [outcome, length]));
}

function attributesOf({ pid, processStartTicks, agent, rule, knob }: Restored): Attributes {
  return {
    [semconv.ATTR_PROCESS_PID]: pid,
    [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(creationTimeMs(processStartTicks)).toISOString(),
    [semconv.ATTR_TAUT_AGENT_NAME]: agent,
    [semconv.ATTR_TAUT_RULE_ID]: rule,
    [semconv.ATTR_TAUT_KNOB]: knob,
  };
}
