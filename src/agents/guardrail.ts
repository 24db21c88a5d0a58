/**
 * The guardrail: finds out whether tuning harms an agent or the host, and puts back what does. Agents that are on trial are
 * held back for one window in four, all at the same time, drawn by lot for each block; `gate/harmTest.ts` says why.
 */
import { randomInt } from 'node:crypto';
import type { RuleGuardrail } from '../config/agentLimits.ts';
import type { Guardrail as Settings } from '../config/guardrail.ts';
import type { CoolDown } from '../gate/coolDowns.ts';
import { WINDOWS } from '../gate/harmTest.ts';
import { type HostLoad, readHostLoad } from '../proc/hostLoad.ts';
import type { AgentSnapshot } from '../tracer/series.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import type { TrialStatus } from './documents.ts';
import {
  type HostReading,
  type Reading,
  readingOf,
  type Values,
  valuesOfAgent,
  valuesOfHost,
} from './guardrailMeasures.ts';
import { BLOCKS, type Limits, limitsOfAgent, limitsOfHost, Trial } from './guardrailTrial.ts';
import { describeHarm, reportHarm } from './reportGuardrail.ts';

export interface GuardrailOptions {
  readonly settings: Settings;
  /** Puts back what a cool-down is about. */
  readonly hold: (coolDown: CoolDown) => void;
}

/** What the guardrail needs of the others. */
export interface GuardrailHost {
  agents(): readonly Agent[];
  ruleOf(ruleId: string): RuleGuardrail | undefined;
  snapshot(pid: number): AgentSnapshot | undefined;
  /** Whether wakeups are measured one by one. */
  readonly hasWakeups: boolean;
  readonly log: Log;
  readonly failed: (what: string, error: unknown) => void;
  /** For tests: the lot, the host's counters, the time in milliseconds. */
  readonly draw?: () => number;
  readonly load?: () => HostLoad;
  readonly now?: () => number;
}

/** An agent in the block that runs. */
interface Member {
  last: Reading;
  readonly windows: Values[];
  readonly limits: Limits;
  /** Of each knob. */
  readonly targets: readonly (bigint | undefined)[];
}

interface Running {
  /** Which window is held back, from 0. */
  readonly lot: number;
  readonly members: Map<Agent, Member>;
  last: HostReading;
  readonly windows: Values[];
}

const HELD = 'guardrail: held back for one window of a trial';

export class Guardrail implements Disposable {
  readonly #options: GuardrailOptions;
  readonly #host: GuardrailHost;
  readonly #trials = new WeakMap<Agent, Trial>();
  #hostTrial: Trial;
  readonly #timer: NodeJS.Timeout;
  #block: Running | undefined;

  constructor(options: GuardrailOptions, host: GuardrailHost) {
    this.#options = options;
    this.#host = host;
    this.#hostTrial = new Trial(options.settings.errorRate);
    this.#timer = setInterval(() => this.tick(), options.settings.window).unref();
    const { queue, pressureUs } = this.#load();
    const lacks = [
      ...(host.hasWakeups ? [] : ['runQueueDelay and wakeupLatency (wakeups are not measured one by one)']),
      ...(queue ? [] : ['hostRunQueueDelay (the kernel has no /proc/schedstat)']),
      ...(pressureUs === undefined ? ['cpuPressure (the kernel has no /proc/pressure)'] : []),
    ];
    if (lacks.length > 0) host.log.info(`the guardrail can't look at ${lacks.join(', ')} here`);
  }

  /** How far the trial of an agent is; undefined where none has begun. */
  status(agent: Agent): TrialStatus | undefined {
    return this.#trials.get(agent)?.status;
  }

  /** A window ends, and the next one begins. */
  tick(): void {
    try {
      if (this.#block) this.#endWindow(this.#block);
      this.#block ??= this.#begin();
      if (this.#block) this.#beginWindow(this.#block);
    } catch (error) {
      this.#abandon();
      this.#host.failed('the guardrail', error);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#block = undefined; // who ends it puts everything back
  }

  #begin(): Running | undefined {
    const members = new Map<Agent, Member>();
    for (const agent of this.#host.agents()) {
      const flags = agent.tunings.flatMap(({ gate: { guardrail } }) => guardrail ?? []);
      const limits = limitsOfAgent(this.#options.settings, this.#host.ruleOf(agent.identity.rule), flags);
      if (!limits || !agent.isAttached || !agent.isTuned || !this.#isDue(agent)) continue;
      const targets = agent.tunings.map(({ target }) => target);
      members.set(agent, { last: this.#read(agent), windows: [], limits, targets });
    }
    if (members.size === 0) return undefined;
    const lot = this.#host.draw?.() ?? randomInt(WINDOWS);
    return { lot, members, last: this.#readHost(), windows: [] };
  }

  /** Begins the agent's next trial when it is time for it. */
  #isDue(agent: Agent): boolean {
    const { errorRate, every } = this.#options.settings;
    const passedAtMs = this.#trials.get(agent)?.passedAtMs;
    if (passedAtMs !== undefined && this.#now() - passedAtMs < every) return false;
    if (passedAtMs !== undefined || !this.#trials.has(agent)) this.#trials.set(agent, new Trial(errorRate));
    return true;
  }

  #beginWindow({ lot, windows, members }: Running): void {
    if (windows.length === lot) for (const agent of members.keys()) agent.pause(HELD);
  }

  #endWindow(block: Running): void {
    const { lot, members, windows } = block;
    const isHeld = windows.length === lot;
    const load = this.#readHost();
    windows.push(valuesOfHost(block.last, load));
    block.last = load;
    const present = new Set(this.#host.agents());
    for (const [agent, member] of members) {
      // One that has gone, or was decided on meanwhile, has no such block.
      const isAsMeant = agent.tunings.every(({ target }, i) => target === (isHeld ? undefined : member.targets[i]));
      if (!present.has(agent) || !isAsMeant) members.delete(agent);
      else {
        const reading = this.#read(agent);
        member.windows.push(valuesOfAgent(member.last, reading));
        member.last = reading;
      }
      if (isHeld && present.has(agent)) this.#resume(agent);
    }
    if (members.size === 0) this.#block = undefined;
    else if (windows.length === WINDOWS) {
      this.#block = undefined;
      this.#judge(block);
    }
  }

  #judge({ lot, members, windows }: Running): void {
    const { settings } = this.#options;
    const { log } = this.#host;
    const harm = this.#hostTrial.add(windows, lot, limitsOfHost(settings));
    if (harm || this.#hostTrial.blocks >= BLOCKS) this.#hostTrial = new Trial(settings.errorRate);
    if (harm) this.#putBack(undefined, harm);
    for (const [agent, member] of members) {
      const trial = this.#trials.get(agent);
      const { name, pid } = agent.identity;
      log.debug(`guardrail, ${name} (${pid}), window ${lot} was held back: ${JSON.stringify(member.windows)}`);
      const its = trial?.add(member.windows, lot, member.limits);
      if (its) {
        this.#trials.delete(agent);
        this.#putBack(agent, its);
      } else if (trial && trial.blocks >= BLOCKS) trial.passedAtMs = this.#now();
    }
  }

  #putBack(agent: Agent | undefined, harm: Parameters<typeof describeHarm>[0]): void {
    const untilMs = this.#now() + this.#options.settings.coolDown;
    const reason = describeHarm(harm);
    const { log, failed } = this.#host;
    try {
      const { pid, startTicks, name } = agent?.identity ?? {};
      const whom =
        pid === undefined || startTicks === undefined ? {} : { agent: { pid, startTicks, name: name ?? '' } };
      this.#options.hold({ ...whom, reason, untilMs });
    } catch (error) {
      failed("the guardrail's cool-down is not on record and ends with this taut", error);
    }
    reportHarm(log, agent?.identity, harm, reason, untilMs);
  }

  #abandon(): void {
    for (const agent of this.#block?.members.keys() ?? []) this.#resume(agent);
    this.#block = undefined;
  }

  #resume(agent: Agent): void {
    try {
      agent.resume();
    } catch (error) {
      this.#host.failed(`tuning ${agent.identity.name} (${agent.identity.pid}) again`, error);
    }
  }

  #read(agent: Agent): Reading {
    return readingOf(performance.now(), agent.cpuSeconds(), this.#host.snapshot(agent.identity.pid));
  }

  #readHost(): HostReading {
    return { ...this.#load(), atMs: performance.now() };
  }

  #load(): HostLoad {
    return (this.#host.load ?? readHostLoad)();
  }

  #now(): number {
    return (this.#host.now ?? Date.now)();
  }
}
