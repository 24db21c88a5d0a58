/** The life of agents on a made-up host: everything of `src/agents` but the tracer, the network and the clock's checks. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Descendants } from '../../src/actuator/descendants.ts';
import type { Knob } from '../../src/actuator/knob.ts';
import { type Execed, Ledger } from '../../src/actuator/ledger.ts';
import { restoreEntries } from '../../src/actuator/restore.ts';
import type { Agent } from '../../src/agents/agent.ts';
import { KernelEvents } from '../../src/agents/kernelEvents.ts';
import { lookAgain } from '../../src/agents/lookAgain.ts';
import { Losses } from '../../src/agents/losses.ts';
import { Obstacles } from '../../src/agents/obstacles.ts';
import { Operations } from '../../src/agents/operations.ts';
import { Reconciler } from '../../src/agents/reconciler.ts';
import { RecordedThreads } from '../../src/agents/recordedThreads.ts';
import { Agents } from '../../src/agents/registry.ts';
import type { AgentEvent } from '../../src/agents/status.ts';
import { parseConfig } from '../../src/config/load.ts';
import { Decisions } from '../../src/discovery/decisions.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import type { Gate, GateDecision, GateQuestion } from '../../src/gate/gate.ts';
import type { KernelEvent } from '../../src/native.ts';
import { nowMs } from '../../src/proc/clock.ts';
import type { ProcHandle } from '../../src/proc/handle.ts';
import type { FlagVariant } from '../../src/tracer/series.ts';
import { MadeUpHost, ORIGINAL, VALUE_FILE } from './madeUpHost.ts';

/** What agents are tuned to, unless the test's gate says something else. */
export const TARGET = 1n;

/** How long a thread waits for its turn. No kernel has this knob. */
export const patience: Knob = {
  id: 'patience',
  title: 'patience',
  about: 'Patience is how long a thread waits for its turn.',
  option: 'optimize-patience',
  help: 'set the patience of agents to this',
  eases: 'run queue',
  defaultTarget: TARGET,
  mend: 'ask the host',
  support: () => ({ name: 'patience', ok: true, detail: 'made up', mend: '' }),
  parse: BigInt,
  format: String,
  read: (thread: ProcHandle) => BigInt(thread.text(VALUE_FILE)),
  write: (thread, value) => thread.write(VALUE_FILE, String(value)),
  verify: (thread) => patience.read(thread),
  restore: (thread, original) => patience.write(thread, original),
  exempt: ({ policy }) => (policy === 1 ? 'real-time' : undefined),
  improves: (value, target) => target < value,
  inherited: (value) => value,
};

/** The same of the tools of agents: only what has the host's ordinary value is changed. */
export const toolPatience: Knob = { ...patience, of: 'tools', ordinary: ORIGINAL };

/** A gate that a test opens and shuts. */
export class MadeUpGate implements Gate {
  /** Null: no agent is tuned. */
  target: bigint | null = TARGET;
  /** Decides instead, if a test gives it. */
  asks: ((question: GateQuestion) => GateDecision | Promise<GateDecision>) | undefined;

  decide(question: GateQuestion): GateDecision | Promise<GateDecision> {
    return this.asks?.(question) ?? { value: this.target, reason: 'the test says so' };
  }

  onChange(): () => void {
    return () => {};
  }

  async close(): Promise<void> {}
}

export interface LifeOptions {
  /** The rules, in YAML. Default: processes that run `bot` are agents. */
  readonly rules?: string;
  readonly descendants?: Descendants;
  /** Default: `patience`. */
  readonly knobs?: readonly Knob[];
  readonly maxAgents?: number;
}

const BOTS = '[{ id: bots, program: bot }]';

export class Life implements Disposable {
  readonly host = new MadeUpHost();
  readonly gate = new MadeUpGate();
  readonly agents: Agents;
  readonly ledger: Ledger;
  /** What it logged, each line after its level. */
  readonly lines: string[] = [];
  /** What failed and was not expected to. */
  readonly failures: string[] = [];
  /** What a `taut watch --json` would print. */
  readonly events: AgentEvent[] = [];
  readonly decisions: Decisions;
  /** By which variant of a flag the series of each process are told apart. */
  readonly variants = new Map<number, FlagVariant | undefined>();
  readonly #knobs: readonly Knob[];
  readonly #stateDir = mkdtempSync(join(tmpdir(), 'taut-life-'));
  readonly #kernelEvents: KernelEvents;
  readonly #reconciler: Reconciler;

  constructor({ rules = BOTS, descendants = 'contain', knobs = [patience], maxAgents = 1_000 }: LifeOptions = {}) {
    const { host, gate } = this;
    this.#knobs = knobs;
    this.ledger = new Ledger(this.#stateDir);
    this.decisions = new Decisions(rulesOf(rules));
    const say = (level: string) => (message: string) => void this.lines.push(`${level}: ${message}`);
    const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    const operations = new Operations('full');
    const told = { operations, obstacles: new Obstacles(log, operations) };
    const onRecord = new RecordedThreads(operations, []);
    const failed = (what: string, error: unknown) => void this.failures.push(`${what}: ${(error as Error).message}`);
    const common = { decisions: this.decisions, scope: { kind: 'host' }, log, failed } as const;
    const measurement = {
      attach: ({ pid }: { readonly pid: number }) => {
        host.trace(pid);
        return 'own' as const;
      },
      begin: () => {},
      detach: (pid: number) => host.untrace(pid),
      decided: (pid: number, flag: FlagVariant | undefined) => void this.variants.set(pid, flag),
      waits: () => undefined,
    };
    const tuning = { knobs, ledger: this.ledger, log, ...told, descendants, onRecord, files: host };
    const onEvent = (event: AgentEvent) => void this.events.push(event);
    this.agents = new Agents({ ...common, gate, measurement, onEvent, maxAgents }, tuning, () => {});
    const onExeced = (thread: Execed) =>
      onRecord.carriedOver(this.ledger.carryOver(thread), { tid: thread.pid, startTicks: thread.processStartTicks });
    const losses = new Losses(host, log);
    this.#kernelEvents = new KernelEvents({ ...common, agents: this.agents, onExeced, losses });
    const record = { ledger: this.ledger, onRecord, ...told, files: host };
    this.#reconciler = new Reconciler({ ...common, ...record, agents: this.agents, losses });
  }

  /** Hands over what the host told until now, or these events, and waits for what comes of it. */
  async hear(events: readonly KernelEvent[] = this.host.events()): Promise<void> {
    this.#kernelEvents.handle(events);
    await setImmediate();
  }

  /** A process runs a program, and that is heard. @returns its id. */
  async run(program: string, ...args: readonly string[]): Promise<number> {
    const pid = this.host.start([`/usr/bin/${program}`, ...args]);
    await this.hear();
    return pid;
  }

  /** Looks at every process, as at the start. */
  async scan(): Promise<void> {
    for (const pid of this.host.pids())
      if (!this.agents.has(pid)) await this.agents.attachIfAgent(pid, { source: 'scan', atMs: nowMs() });
  }

  /** The check every five seconds. */
  async reconcile(): Promise<void> {
    if (!(await this.#reconciler.run())) return;
    await lookAgain(this.agents);
    await this.scan();
  }

  /** The gate decides from now on: null is to leave agents alone. */
  async decide(target: bigint | null): Promise<void> {
    this.gate.target = target;
    await this.agents.gateAll();
  }

  useRules(rules: string): void {
    this.decisions.use(rulesOf(rules));
  }

  agent(pid: number): Agent | undefined {
    return this.agents.get(pid);
  }

  pids(): number[] {
    return this.agents.all().map(({ identity }) => identity.pid);
  }

  /** Lets every agent go and puts back what is on record, as taut does when it ends. */
  detach(): void {
    this.agents.end();
    this.#kernelEvents.end();
    for (const pid of this.pids()) this.agents.letGo(pid, 'shutdown');
    restoreEntries(this.ledger, this.#knobs, this.ledger.own(), { files: this.host });
  }

  /** @throws Error if a directory of the host was left open. */
  [Symbol.dispose](): void {
    this.detach();
    this.ledger[Symbol.dispose]();
    rmSync(this.#stateDir, { recursive: true });
    if (this.host.openDescriptors > 0) throw new Error(`${this.host.openDescriptors} directories were left open`);
  }
}

function rulesOf(rules: string) {
  return compileRules(parseConfig(`version: 1\nbuiltin: false\nrules: ${rules}\n`, 'life.yaml'));
}
