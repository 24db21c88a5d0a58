/**
 * A gate whose flags are a service's, which may be down, slow or silent: who is tuned stays so for a time, and nobody else is
 * tuned until it answers.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { ErrorCode, type Provider } from '@openfeature/server-sdk';
import { messageOf } from './answer.ts';
import { Bursts } from './bursts.ts';
import { Doors } from './doors.ts';
import { type FlagOptions, openFlags } from './flagGate.ts';
import type { Gate, GateDecision, GateQuestion, Targets } from './gate.ts';
import { LastKnown, unlessNew } from './lastKnown.ts';
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
/** Questions that a service is asked at a time. */
const MOST_AT_ONCE = 16;
/** An agent about which there was no answer may have ended: after this time, an answer about another one counts. */
const FORGET_MS = 60_000;
const START = 'start';
const READY = 'READY';

/** Starts shut when the provider is not ready, and opens when it is. */
export async function providerGate(provider: Provider, targets: Targets, options: ProviderOptions): Promise<Gate> {
  const { gate, ready } = openFlags(provider, targets, options);
  const isReady = await Promise.race([
    ready.then(
      () => undefined,
      (error: unknown) => messageOf(error),
    ),
    wait(READY_MS, 'it is not ready', { ref: false }),
  ]);
  const made = new ProviderGate(gate, provider, options);
  if (isReady !== undefined) made.failed(START, 0, `does not answer (${isReady})`);
  return made;
}

class ProviderGate implements Gate {
  readonly #gate: Gate;
  readonly #name: string;
  readonly #options: ProviderOptions;
  readonly #listeners = new Listeners();
  readonly #lastKnown: LastKnown;
  readonly #doors = new Doors(MOST_AT_ONCE);
  /** What was asked before is answered first. */
  readonly #bursts = new Bursts(
    () => this.#listeners.tell(),
    () => !this.#doors.isBusy,
  );
  #poll: NodeJS.Timeout | undefined;
  /** Whether the last question was answered, and the provider's state then. */
  #answered: { readonly isAnswer: boolean; readonly state: string } | undefined;
  /** By the knob's id (`START` for the provider's start): about whom there was no answer, and when. */
  readonly #failing = new Map<string, { readonly pid: number; readonly atMs: number }>();

  constructor(gate: Gate, provider: Provider, options: ProviderOptions) {
    this.#gate = gate;
    this.#name = provider.metadata.name;
    this.#options = options;
    this.#lastKnown = new LastKnown(options.lastKnownMs, () => this.#listeners.tell());
    if (!provider.events) this.#poll = setInterval(() => this.#pollUnlessBusy(), options.pollMs).unref();
  }

  #pollUnlessBusy(): void {
    if (!this.#doors.isBusy) this.#bursts.changed();
  }

  /** A provider without events is ready when it answers: nobody tells when its service comes and goes. */
  get provider() {
    const told = this.#gate.provider;
    // Its state has changed since the last question: that is newer.
    if (!told || this.#answered?.state !== told.state) return told;
    if (!this.#answered.isAnswer) return { ...told, state: told.state === READY ? 'ERROR' : told.state };
    return { ...told, state: this.#poll ? READY : told.state };
  }

  async decide(question: GateQuestion): Promise<GateDecision> {
    const told = await this.#doors.through(question.last === undefined, () => this.#ask(question));
    const decision = told.failure === undefined ? this.#unlessStale(told) : told;
    const state = this.#gate.provider?.state ?? READY;
    this.#answered = { isAnswer: isAnswer(decision, state), state };
    if (decision.failure === undefined) {
      this.#works(question.knob.id, question.pid);
      return unlessNew(decision, question.last);
    }
    const why = this.#noAnswer(decision.failure, decision.reason);
    if (why === undefined) this.#works(question.knob.id, question.pid);
    else this.failed(question.knob.id, question.pid, why);
    const shut = { ...decision, reason: `flag provider ${this.#name}: ${decision.reason}` };
    return unlessNew(this.#lastKnown.insteadOf(decision, question) ?? shut, question.last);
  }

  /** The service's answer; that there is none when it takes too long. */
  async #ask(question: GateQuestion): Promise<GateDecision> {
    const late = new AbortController();
    const failure = `no answer in ${ANSWER_MS / 1_000} s`;
    const silent: GateDecision = { layer: 'flag', value: null, reason: 'no answer', failure };
    const { signal } = late;
    const told = await Promise.race([
      this.#gate.decide(question),
      wait(ANSWER_MS, silent, { ref: false, signal }).catch(() => silent),
    ]);
    late.abort();
    return told;
  }

  /** What a provider says of its service while that is away is what it knew: no answer about a new agent. */
  #unlessStale(decision: GateDecision): GateDecision {
    const state = this.#gate.provider?.state ?? READY;
    if (this.#poll || state === READY) return decision;
    return { ...decision, value: null, reason: `it is in state ${state}`, failure: state };
  }

  /** How the service gives no answer; undefined when it has answered that there is no such flag. */
  #noAnswer(failure: string, reason: string): string | undefined {
    if (failure === 'TYPE_MISMATCH') return `answers what is no value (${reason})`;
    // What a provider says went wrong tells more than the code that OpenFeature has for it.
    if (failure !== 'FLAG_NOT_FOUND') return `does not answer (${failure in ErrorCode ? reason : failure})`;
    // flagd's provider says that there is no flag also where there is no service.
    const state = this.#gate.provider?.state ?? READY;
    return state === READY ? undefined : `does not answer (its provider is in state ${state})`;
  }

  /** The flags of one agent may fail while those of others do not: it is said once, until that one is answered about. */
  failed(knob: string, pid: number, why: string): void {
    const isNew = this.#failing.size === 0;
    const atMs = performance.now();
    const known = this.#failing.get(knob);
    if (!known || known.pid === pid || atMs - known.atMs > FORGET_MS) this.#failing.set(knob, { pid, atMs });
    if (!isNew) return;
    const keep = 'agents keep for a time what was decided last, and no other is tuned';
    this.#options.onProblem(`the flag provider ${this.#name} ${why}: ${keep}`);
  }

  #works(knob: string, pid: number): void {
    if (this.#failing.size === 0) return;
    this.#failing.delete(START);
    const known = this.#failing.get(knob);
    if (known && (known.pid === pid || performance.now() - known.atMs > FORGET_MS)) this.#failing.delete(knob);
    if (this.#failing.size > 0) return;
    this.#options.onProblem(`the flag provider ${this.#name} answers again`);
  }

  onChange(callback: () => void): () => void {
    return this.#listeners.add(
      callback,
      this.#gate.onChange(() => this.#bursts.changed()),
    );
  }

  async close(): Promise<void> {
    clearInterval(this.#poll);
    this.#bursts.close();
    this.#lastKnown.close();
    await this.#gate.close();
  }
}

/** A value that is none, and that there is no such flag, are answers of the service. @param state of its provider. */
function isAnswer({ failure }: GateDecision, state: string): boolean {
  return failure === undefined || failure === 'TYPE_MISMATCH' || (failure === 'FLAG_NOT_FOUND' && state === READY);
}
