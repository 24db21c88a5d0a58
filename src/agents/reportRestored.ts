/**
 * Reports the outcomes of putting threads back: counts by outcome, and an event for each thread that could not be put
 * back. When there is no agent's trace (after a crash, in `taut restore`), each process gets a trace of its own with
 * one span: `restore`.
 */
import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { Restored } from '../actuator/restore.ts';
import { tautTracer } from '../telemetry/scope.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Operations } from './operations.ts';
import { emitDrift, emitRestoreFailed } from './reportThread.ts';
import { fail, processAttributes } from './trace.ts';

/** The threads that were put back together, and why. Times: milliseconds since the epoch. */
export interface Restoration {
  readonly results: readonly Restored[];
  readonly reason: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Reports what was put back outside of an agent's trace: one span `restore` for each process and knob. */
export function reportRestored(operations: Operations, { results, reason, startMs, endMs }: Restoration): void {
  const groups = Map.groupBy(results, (r) => JSON.stringify([r.pid, r.processStartTicks, r.knob]));
  for (const [first, ...others] of groups.values()) {
    if (!first) continue;
    const attributes = { ...attributesOf(first), [semconv.ATTR_TAUT_RESTORE_REASON]: reason };
    const options = { root: true, kind: SpanKind.INTERNAL, startTime: startMs, attributes };
    const span = tautTracer().startSpan(semconv.SPAN_RESTORE, options);
    account(operations, span, 'restore', [first, ...others]);
    span.end(endMs);
  }
}

/**
 * Counts outcomes, as attributes of the span and as operations. Emits an event for each thread that did not get its
 * original value, except drifts that were reported before (`isKnown`).
 */
export function account(
  operations: Operations,
  span: Span,
  operation: 'revert' | 'restore',
  results: readonly Restored[],
  isKnown: (drifted: Restored) => boolean = () => false,
): void {
  for (const [outcome, { length }] of Map.groupBy(results, (r) => r.outcome))
    span.setAttribute(`${semconv.ATTR_TAUT_THREADS}.${outcome}`, length);
  for (const [knob, of] of Map.groupBy(results, (r) => r.knob)) {
    // An heir inherited taut's value and has no ledger entry: it was not tuned, so it counts as contained.
    const [heirs, own] = [of.filter((r) => r.isHeir), of.filter((r) => !r.isHeir)];
    operations.countAll(
      operation,
      tallyOf(own, (r) => r.outcome),
      knob,
    );
    operations.countAll(
      'contain',
      tallyOf(heirs, (r) => (r.outcome === 'restored' ? 'ok' : r.outcome)),
      knob,
    );
  }
  for (const result of results) {
    if (result.outcome === 'drifted' && !isKnown(result)) emitDrift(result, span);
    if (result.outcome === 'failed') emitRestoreFailed(result, span);
  }
  const failed = results.filter((r) => r.outcome === 'failed').length;
  if (failed > 0) fail(span, 'restore_failed', `${failed} threads could not be put back`);
}

function tallyOf<T>(items: readonly T[], outcomeOf: (item: T) => string): Map<string, number> {
  return new Map([...Map.groupBy(items, outcomeOf)].map(([outcome, { length }]) => [outcome, length]));
}

function attributesOf({ pid, processStartTicks: startTicks, agent: name, rule, knob }: Restored): Attributes {
  return { ...processAttributes({ pid, startTicks, name, rule }), [semconv.ATTR_TAUT_KNOB]: knob };
}
