/** What became of the threads that one knob of an agent was tuned in: logged, counted and reported as spans. */
import type { Attributes } from '@opentelemetry/api';
import type { TuneOrder } from '../actuator/converge.ts';
import type { Knob } from '../actuator/knob.ts';
import type { ThreadState } from '../actuator/thread.ts';
import { nowMs } from '../proc/clock.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';
import type { Obstacles } from './obstacles.ts';
import type { Operations } from './operations.ts';
import type { RecordedThreads } from './recordedThreads.ts';
import { sayOutcome } from './reportThread.ts';
import { failBy, type LaterBatch, type Outcomes, ThreadOutcomes, threadsBy } from './threadOutcomes.ts';
import type { AgentTrace } from './trace.ts';

interface Host {
  readonly log: Log;
  readonly operations: Operations;
  readonly obstacles: Obstacles;
  readonly onRecord: RecordedThreads;
}

interface Reported {
  readonly identity: AgentIdentity;
  readonly trace: AgentTrace;
}

/** What is being carried out; undefined while nothing is. */
type Order = Pick<TuneOrder, 'target' | 'operation'> | undefined;

export class TuningOutcomes {
  readonly #knob: Knob;
  readonly #host: Host;
  readonly #agent: Reported;
  readonly #order: () => Order;
  readonly #outcomes = new ThreadOutcomes(
    (outcomes) => this.#onCounted(outcomes),
    (batch) => this.#reportLater(batch),
  );

  constructor(knob: Knob, host: Host, agent: Reported, order: () => Order) {
    this.#knob = knob;
    this.#host = host;
    this.#agent = agent;
    this.#order = order;
  }

  /** `isAsBefore`: the thread had this outcome at the last look, so it is neither logged nor counted again. */
  note(tid: number, state: ThreadState, by: 'tune' | 'look', isAsBefore = false): void {
    const { log, obstacles, onRecord } = this.#host;
    const { identity } = this.#agent;
    const { outcome, startTicks } = state;
    if (!isAsBefore) sayOutcome(log, identity, this.#knob, tid, state);
    if (outcome === 'denied') obstacles.denied(identity, this.#knob);
    if (by === 'look' || isAsBefore) return;
    const isOnRecord = outcome === 'tuned' || outcome === 'unverified';
    // A thread may already be in the ledger: it was real-time for a while, or inherited its value before its process
    // was an agent. It was counted when it was first tuned.
    if (isOnRecord && !onRecord.add({ tid, startTicks, knob: this.#knob.id })) return;
    this.count(outcome);
  }

  count(outcome: string): void {
    this.#outcomes.count(outcome);
  }

  take(): Outcomes {
    return this.#outcomes.take();
  }

  /** Does work whose outcomes are counted at once, and reported in a batch. */
  later(work: () => void): void {
    const startMs = nowMs();
    try {
      this.#host.obstacles.attempt(work);
    } finally {
      this.#outcomes.takeLater(startMs, nowMs());
    }
  }

  /** Reports the batch if it is old enough. */
  look(): void {
    this.#outcomes.look(nowMs());
  }

  /** Reports what was not reported yet. */
  end(): void {
    this.#outcomes.end();
  }

  /** The attributes of a span `tune`. */
  attributes(order: Order): Attributes {
    return {
      [semconv.ATTR_TAUT_KNOB]: this.#knob.id,
      ...(order && {
        [semconv.ATTR_TAUT_TARGET]: Number(order.target),
        [semconv.ATTR_TAUT_LEDGER_OPERATION]: order.operation,
      }),
    };
  }

  /** Counts each outcome twice, as `tune` and as `verify`: each written thread was also read back. */
  #onCounted(outcomes: Outcomes): void {
    for (const operation of ['tune', 'verify']) this.#host.operations.countAll(operation, outcomes, this.#knob.id);
  }

  #reportLater({ startMs, endMs, outcomes }: LaterBatch): void {
    const attributes = { ...this.attributes(this.#order()), ...threadsBy(outcomes) };
    this.#agent.trace.past({ name: semconv.SPAN_TUNE, startMs, endMs, attributes }, (span) => failBy(span, outcomes));
  }
}
