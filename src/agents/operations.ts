import type { Attributes, Counter, Histogram } from '@opentelemetry/api';
import { descriptor } from '../telemetry/metrics.ts';
import { tautMeter } from '../telemetry/scope.ts';
import * as semconv from '../telemetry/semconv.ts';

/** Seconds: for an SDK of an application; taut's own makes an exponential histogram. */
const BOUNDS = [1e-4, 1e-3, 0.01, 0.1, 1, 10, 100];

/** Counts what taut does with agents and their threads. Without an SDK the counts go nowhere. */
export class Operations {
  readonly #counter: Counter;
  readonly #inherited: Counter;
  readonly #turns: Histogram;
  readonly #mode: Attributes;

  /** @param mode the tracer's: an attribute of every point. */
  constructor(mode: string) {
    this.#mode = { [semconv.ATTR_TAUT_TRACER_MODE]: mode };
    const meter = tautMeter();
    const counter = ({ name, ...options }: ReturnType<typeof descriptor>) => meter.createCounter(name, options);
    this.#counter = counter(descriptor('taut.operations'));
    this.#inherited = counter(descriptor('taut.inherited.cpu'));
    const { name, ...options } = descriptor('taut.turn.run_queue_delay');
    this.#turns = meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: [...BOUNDS] } });
  }

  /**
   * Counts `n` operations of a kind (`attach`, `measure`, `tune`, `verify`, `revert`, `restore`, `contain`, `forget`,
   * `gate`, `turn`) by outcome. `knob`: its id, for operations on a knob.
   */
  count(operation: string, outcome: string, n = 1, knob?: string): void {
    const attributes = { [semconv.ATTR_TAUT_OPERATION]: operation, [semconv.ATTR_TAUT_OUTCOME]: outcome };
    const by = knob === undefined ? {} : { [semconv.ATTR_TAUT_KNOB]: knob };
    this.#counter.add(n, { ...attributes, ...by, ...this.#mode });
  }

  /** Counts CPU time, nanoseconds, that descendants of agents of this name ran with the agent's value of a knob. */
  inherited(agent: string, knob: string, ns: bigint): void {
    const by = { [semconv.ATTR_TAUT_AGENT_NAME]: agent, [semconv.ATTR_TAUT_KNOB]: knob };
    this.#inherited.add(Number(ns) / 1e9, { ...by, ...this.#mode });
  }

  /** Counts a turn of an agent of this name, in which its threads waited for a CPU for so many seconds. */
  turn(agent: string, isTuned: boolean, seconds: number): void {
    const by = { [semconv.ATTR_TAUT_AGENT_NAME]: agent, [semconv.ATTR_TAUT_TUNED]: isTuned };
    this.#turns.record(seconds, { ...by, ...this.#mode });
  }

  /** Counts several outcomes of one kind of operation. */
  countAll(operation: string, outcomes: ReadonlyMap<string, number>, knob: string): void {
    for (const [outcome, n] of outcomes) this.count(operation, outcome, n, knob);
  }
}
