/** Makes the span of a turn: what the agent's threads waited for in it, in the trace of the turn where that is known. */
import { type Attributes, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { tautTracer } from '../telemetry/scope.ts';
import * as semconv from '../telemetry/semconv.ts';
import { spanContextOf } from '../telemetry/spanContext.ts';
import type { Log } from '../util/log.ts';
import { roughly } from '../util/roughly.ts';
import { processAttributes } from './trace.ts';
import type { Turn, TurnEnd } from './turn.ts';
import type { Spread, TurnWaits } from './turnWaits.ts';

export interface TurnReport {
  readonly turn: Turn;
  readonly end: TurnEnd;
  /** Milliseconds since the epoch. */
  readonly endMs: number;
  readonly waits: TurnWaits;
  /** What was tuned meanwhile, `knob=value`. */
  readonly tuned: readonly string[];
}

export function reportTurn(log: Log, report: TurnReport): void {
  const { turn, endMs, waits, end } = report;
  const { agent, begunMs } = turn;
  const { name, pid } = agent.identity;
  const parent = turn.said.parent && spanContextOf(turn.said.parent);
  const own = agent.trace;
  const around = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  const links = parent?.traceId === own.traceId ? [] : [{ context: own }];
  const options = { kind: SpanKind.INTERNAL, startTime: begunMs, attributes: attributesOf(report), links };
  tautTracer().startSpan(semconv.SPAN_WAKEUPS, options, around).end(endMs);
  log.debug(
    `a turn of ${name} (${pid}) is over (${end}): ${waits.wakeups.total} wakeups, ${roughly(waits.lost)} of waiting for a CPU`,
  );
}

function attributesOf({ turn, end, endMs, waits, tuned }: TurnReport): Attributes {
  const { agent, said, begunMs, processes, isPartial } = turn;
  const { session, turn: id } = said;
  const seconds = (endMs - begunMs) / 1_000;
  return {
    ...processAttributes(agent.identity),
    ...(session !== undefined && {
      [semconv.ATTR_GEN_AI_CONVERSATION_ID]: session,
      [semconv.ATTR_SESSION_ID]: session,
    }),
    ...(id !== undefined && { [semconv.ATTR_TAUT_TURN_ID]: id }),
    [semconv.ATTR_TAUT_TURN_END]: end,
    ...(isPartial && { [semconv.ATTR_TAUT_TURN_PARTIAL]: true }),
    [semconv.ATTR_TAUT_TURN_PROCESSES]: processes.size,
    [semconv.ATTR_TAUT_TURN_TUNED]: [...tuned],
    ...wakeupsOf(waits),
    ...spreadOf('lateness', waits.lateness),
    ...spreadOf('run_queue_delay', waits.runQueue),
    [semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_TOTAL]: waits.lost,
    ...(seconds > 0 && { [semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_SHARE]: waits.lost / seconds }),
    ...(waits.factor !== undefined && { [semconv.ATTR_TAUT_SAMPLING_FACTOR]: waits.factor }),
  };
}

function wakeupsOf({ wakeups: { total, bySource } }: TurnWaits): Attributes {
  return {
    [semconv.ATTR_TAUT_TURN_WAKEUPS_TOTAL]: total,
    ...(bySource && {
      [semconv.ATTR_TAUT_TURN_WAKEUPS_OTHER]: bySource.other,
      [semconv.ATTR_TAUT_TURN_WAKEUPS_TIMER_REACHABLE]: bySource.timer_reachable,
      [semconv.ATTR_TAUT_TURN_WAKEUPS_TIMER_REACHABLE_TUNED]: bySource.timer_reachable_tuned,
      [semconv.ATTR_TAUT_TURN_WAKEUPS_TIMER_BEYOND]: bySource.timer_beyond,
      [semconv.ATTR_TAUT_TURN_WAKEUPS_TIMER_NONE]: bySource.timer_none,
    }),
  };
}

const SPREADS = {
  lateness: {
    p50: semconv.ATTR_TAUT_TURN_LATENESS_P50,
    p90: semconv.ATTR_TAUT_TURN_LATENESS_P90,
    p99: semconv.ATTR_TAUT_TURN_LATENESS_P99,
    max: semconv.ATTR_TAUT_TURN_LATENESS_MAX,
  },
  run_queue_delay: {
    p50: semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P50,
    p90: semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P90,
    p99: semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_P99,
    max: semconv.ATTR_TAUT_TURN_RUN_QUEUE_DELAY_MAX,
  },
} as const;

function spreadOf(of: keyof typeof SPREADS, spread: Spread | undefined): Attributes {
  if (!spread) return {};
  const { p50, p90, p99, max } = SPREADS[of];
  return { [p50]: spread.p50, [p90]: spread.p90, [p99]: spread.p99, [max]: spread.max };
}
