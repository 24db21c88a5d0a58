/**
 * A gate whose flags are a service's, which may be down, slow or silent: who is tuned stays so for a time, and nobody else is
 * tuned until it answers.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Provider } from '@openfeature/server-sdk';
import { type FlagOptions, openFlags } from './flagGate.ts';
import { isOver } from './flagObject.ts';
import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';
import { Listeners } from './listeners.ts';

export interface ProviderOptions extends FlagOptions {
  /** Milliseconds between questions to a provider that sends no events. */
  readonly pollMs: number;
  /** For how long, in milliseconds, an agent keeps what was decided last while there is no answer about it. */
  readonly lastKnownMs: number;
  readonly onProblem: (message: string) => void;
}

/** A start waits so long for a provider, and a decision for an answer; milliseconds. */
const READY_MS = 1_000;
const ANSWER_MS = 2_000;
/** Different values that can't be followed, which are remembered. */
const MOST_TOLD = 100;

/** Starts shut when the provider is not ready, and opens when it is. */
export async function providerGate(provider: Provider, targets: Targets, options: ProviderOptions): Promise<Gate> {
  const { gate, ready } = openFlags(provider, targets, options);
  const isReady = await Promise.race([
    ready.then(
      () => undefined,
      (error: Error) => error.message,
    ),
    wait(READY_MS, 'it is not ready', { ref: false }),
  ]);
  const made = new ProviderGate(gate, provider, options);
  if (isReady !== undefined) made.failed(isReady);
  return made;
}

class ProviderGate implements Gate {
  readonly #gate: Gate;
  readonly #name: string;
  readonly #options: ProviderOptions;
  readonly #listeners = new Listeners();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Values that can't be followed. */
  readonly #told = new Set<string>();
  #isFailing = false;
  #expiry: NodeJS.Timeout | undefined;

  constructor(gate: Gate, provider: Provider, options: ProviderOptions) {
    this.#gate = gate;
    this.#name = provider.metadata.name;
    this.#options = options;
    if (!provider.events) this.#timers.add(setInterval(() => this.#listeners.tell(), options.pollMs).unref());
  }

  get provider() {
    return this.#gate.provider;
  }

  async decide(question: GateQuestion): Promise<GateDecision> {
    const late = new AbortController();
    const silent: GateDecision = {
      layer: 'flag',
      value: null,
      reason: 'no answer',
      failure: `no answer in ${ANSWER_MS / 1_000} s`,
    };
    const { signal } = late;
    const decision = await Promise.race([
      this.#gate.decide(question),
      wait(ANSWER_MS, silent, { ref: false, signal }).catch(() => silent),
    ]);
    late.abort();
    if (decision.unfit !== undefined) this.#unfit(decision.unfit);
    else if (decision.failure === undefined) this.#works();
    else if (decision.failure !== 'FLAG_NOT_FOUND') this.failed(decision.failure);
    const now = decision.failure === undefined ? decision : this.#lastKnown(decision, question);
    return question.last && isSame(question.last, now) ? question.last : now;
  }

  /** What was decided last on an agent that is there; a new one stays as it is. */
  #lastKnown(decision: GateDecision, { last }: GateQuestion): GateDecision {
    const shut = { ...decision, reason: `flag provider ${this.#name}: ${decision.reason}` };
    if (!last?.flag || last.value === null || isOver(last.until)) return shut;
    const { known = { reason: last.reason, atMs: performance.now() } } = last;
    const leftMs = known.atMs + this.#options.lastKnownMs - performance.now();
    if (leftMs <= 0) return shut;
    this.#expiry ??= this.#later(leftMs);
    return { ...last, known, reason: `${known.reason}, as was last known (${decision.failure})` };
  }

  #later(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#expiry = undefined;
      this.#timers.delete(timer);
      this.#listeners.tell();
    }, ms).unref();
    this.#timers.add(timer);
    return timer;
  }

  failed(why: string): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const keep = 'agents keep for a time what was decided last, and no other is tuned';
    this.#options.onProblem(`the flag provider ${this.#name} does not answer (${why}): ${keep}`);
  }

  /** Said once of each value. */
  #unfit(sentence: string): void {
    if (this.#told.has(sentence)) return;
    if (this.#told.size >= MOST_TOLD) this.#told.clear();
    this.#told.add(sentence);
    this.#options.onProblem(`${sentence}; it is not followed: agents keep for a time what was decided last`);
  }

  #works(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#options.onProblem(`the flag provider ${this.#name} answers again`);
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(callback, this.#gate.onChange(callback));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#gate.close();
  }
}

function isSame(a: GateDecision, b: GateDecision): boolean {
  return a.value === b.value && a.reason === b.reason && a.flag?.variant === b.flag?.variant;
}
