/** Finds, tunes, measures and releases all agents of a host (or of one process tree). */
import { setImmediate } from 'node:timers/promises';
import type { Descendants } from '../actuator/descendants.ts';
import { KNOBS } from '../actuator/knobs.ts';
import type { Execed } from '../actuator/ledger.ts';
import type { Restored } from '../actuator/restore.ts';
import type { Adopted } from '../discovery/decisions.ts';
import { ScanClock } from '../discovery/scanClock.ts';
import { nowMs } from '../proc/clock.ts';
import { Slices } from '../proc/slices.ts';
import type { Measuring } from '../tracer/measuring.ts';
import { FailureLog } from '../util/failureLog.ts';
import { adopt } from './adoption.ts';
import type { Agent } from './agent.ts';
import { Guardrail, type GuardrailOptions } from './guardrail.ts';
import { KernelEvents } from './kernelEvents.ts';
import { lookAgain } from './lookAgain.ts';
import { Losses } from './losses.ts';
import { Measurement } from './measurement.ts';
import { MemoryReturn } from './memoryReturn.ts';
import { NetworkEvents } from './networkEvents.ts';
import { observe } from './observables.ts';
import { Obstacles } from './obstacles.ts';
import { Operations } from './operations.ts';
import { Reconciler } from './reconciler.ts';
import { type RecordOptions, TuningRecord } from './record.ts';
import { Agents, type AgentsOptions } from './registry.ts';
import { type AgentStatus, agentStatus } from './status.ts';
import type { TuningHost } from './tuning.ts';
import { Turns } from './turns.ts';

export interface WatcherOptions extends Omit<AgentsOptions, 'measurement' | 'failed' | 'onLeaving'>, RecordOptions {
  /** How this host can measure. Without a tracer, agents are found by periodic scans of /proc. */
  readonly measuring: Measuring;
  /** The limit for the kernel's cost of measuring, in CPU seconds per second. */
  readonly maxOverhead?: number;
  readonly descendants: Descendants;
  readonly begun?: TuningHost['begun'];
  /** Without it nobody looks whether tuning does harm. */
  readonly guardrail?: GuardrailOptions;
}

/** Interval of checks for drift, missed threads and lost events; and of scans, when there are no kernel events. */
const RECONCILE_MS = 5_000;
const SCAN_MS = 500;

export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  readonly #obstacles: Obstacles;
  readonly #agents: Agents;
  readonly #record: TuningRecord;
  readonly #ends: (() => void)[] = [];
  /** Measures the agents: histograms and what they cost. */
  readonly measurement: Measurement;
  readonly #kernelEvents: KernelEvents;
  readonly #networkEvents: NetworkEvents;
  readonly #reconciler: Reconciler;
  readonly #turns: Turns;
  readonly #failures: FailureLog;
  #guardrail: Guardrail | undefined;
  readonly #memory = new MemoryReturn();
  #onChange: () => void = () => {};
  #endObserving: () => void = () => {};
  #released = false;
  /** Whether a periodic check goes on, which may take longer than their interval on a busy host. */
  #isChecking = false;
  readonly #atExit = () => this.release('the program ends');
  /** Resolves after the first scan of all processes. */
  readonly #looked = Promise.withResolvers<void>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    const { ledger, descendants, measuring, maxOverhead } = options;
    this.#failures = new FailureLog(options.log);
    const operations = new Operations(measuring.mode);
    const obstacles = new Obstacles(options.log, operations);
    this.#obstacles = obstacles;
    this.measurement = new Measurement({ measuring, maxOverhead, log: options.log });
    this.#record = new TuningRecord(options, operations, obstacles);
    const onRecord = this.#record.threads;
    const { tracer } = measuring;
    const host = {
      ...{ knobs: KNOBS, ledger, log: options.log, operations, obstacles, descendants, onRecord },
      ...(options.begun && { begun: options.begun }),
      ...(tracer && { ownSlices: (pid: number) => tracer.ownSlices(pid) }),
    };
    const failed = (what: string, error: unknown) => this.#sayRarely(what, error);
    const onLeaving: AgentsOptions['onLeaving'] = (agent, why) => this.#turns.leaving(agent, why);
    const more = { failed, onLeaving, measurement: this.measurement };
    this.#agents = new Agents({ ...options, ...more }, host, () => this.#onChange());
    this.#turns = new Turns({
      ...{ agents: this.#agents, operations, log: options.log },
      snapshot: (pid) => this.measurement.snapshot(pid),
      hasTimers: tracer?.hasTimers ?? false,
    });
    const { decisions, scope, log } = options;
    const common = { agents: this.#agents, decisions, scope, log, failed };
    const onExeced = (thread: Execed) => this.#record.follow(thread);
    const losses = new Losses(tracer, log);
    this.#kernelEvents = new KernelEvents({ ...common, onExeced, losses, turns: this.#turns });
    this.#networkEvents = new NetworkEvents({ ...common, operations });
    const record = { ledger, onRecord, operations, obstacles };
    this.#reconciler = new Reconciler({ ...common, ...record, losses });
  }

  /**
   * Begins: listens to the kernel and, if a rule needs it, to the network; then looks at every process and connection
   * that exists already. Resolves after that first look.
   */
  async start(): Promise<void> {
    const { gate, measuring } = this.#options;
    const { tracer } = measuring;
    process.on('exit', this.#atExit); // covers process.exit and uncaught errors; the guard covers the other ways to end
    this.#record.startGuard();
    tracer?.listen((events) => this.#kernelEvents.handle(events));
    this.#ends.push(gate.onChange(() => this.#inBackground('the gate', this.#agents.gateAll())));
    this.#endObserving = observe({
      mode: this.measurement.mode,
      knobs: KNOBS,
      agents: () => this.#agents.all(),
      tracerCounters: () => tracer?.counters() ?? new Map(),
      kernelCpu: () => this.measurement.kernelCpu(),
      isDegraded: () => this.measurement.isDegraded,
      isOff: () => gate.isOff,
      hasFlags: () => gate.provider && gate.provider.state === 'READY',
    });
    this.#startGuardrail();
    const looked = this.#firstLook();
    await Promise.all([looked, this.#networkEvents.use(looked)]);
  }

  #startGuardrail(): void {
    const { guardrail, decisions, log, measuring } = this.#options;
    if (!guardrail) return;
    const started = new Guardrail(guardrail, {
      agents: () => this.#agents.all(),
      ruleOf: (id) => decisions.guardrail(id),
      snapshot: (pid) => this.measurement.snapshot(pid),
      hasWakeups: measuring.tracer !== undefined,
      log,
      failed: (what, error) => this.#sayRarely(what, error),
    });
    this.#guardrail = started;
    this.#ends.push(() => started[Symbol.dispose]());
  }

  /** Looks at every process, and then starts the periodic checks. */
  async #firstLook(): Promise<void> {
    const { tracer } = this.#options.measuring;
    await this.scan();
    this.#looked.resolve();
    const timer = setInterval(
      () => this.#inBackground('looking again', this.#reconcile()),
      tracer ? RECONCILE_MS : SCAN_MS,
    ).unref();
    this.#ends.push(() => clearInterval(timer));
  }

  /** Sets a callback that runs after an agent was attached, ended or changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Looks at every process in scope. */
  async scan(): Promise<void> {
    const { decisions, scope, log } = this.#options;
    using clock = new ScanClock();
    // The root comes first: its descendants may have inherited its value, and may have lower ids (ids are reused).
    const root = scope.kind === 'tree' ? scope.root : undefined;
    const look = async (pid: number) => {
      if (!this.#agents.has(pid)) await this.#agents.attachIfAgent(pid, { source: 'scan', atMs: nowMs() });
      clock.decided();
    };
    if (root !== undefined) await look(root);
    for await (const pid of decisions.processes(scope)) if (pid !== root) await look(pid);
    log.debug(clock.describe());
  }

  /** The rules have changed: decides on every process again, agents first. */
  async decideAnew(): Promise<void> {
    await this.#networkEvents.use();
    const slices = new Slices();
    for (const agent of this.#agents.all()) {
      await slices.next();
      const { identity } = agent;
      const { pid } = identity;
      if (this.#agents.get(pid) !== agent) continue; // it was let go meanwhile
      const verdict = this.#agents.decideAgain(pid, { source: 'scan', atMs: nowMs() });
      if (verdict?.decision !== 'attach' || verdict.ruleId !== identity.rule)
        this.#agents.letGo(pid, 'the rules have changed');
    }
    await this.scan();
    await this.#agents.gateAll();
  }

  /** Asks the gate again about every agent. Resolves when its decisions are carried out. */
  async gateAnew(): Promise<void> {
    await this.#agents.gateAll();
  }

  /** Takes over a process that `taut run` has started. @throws Error when the process can't be taken over. */
  async adopt(process: Adopted): Promise<AgentStatus> {
    await this.#looked.promise; // an ancestor may be a tuned agent, and must be known first
    if (this.#released) throw new Error('it is ending');
    return adopt(process, this.#agents, this.#options.decisions);
  }

  agents(): AgentStatus[] {
    return this.#agents.all().map((agent) => {
      const guardrail = this.#guardrail?.status(agent);
      return { ...agentStatus(agent, this.measurement.waits(agent.identity.pid)), ...(guardrail && { guardrail }) };
    });
  }

  /** Whether a decision of the gate could not be carried out. */
  get hasFailed(): boolean {
    return this.#obstacles.any;
  }

  agent(pid: number): Agent | undefined {
    return this.#agents.get(pid);
  }

  /** Puts one agent back and goes on measuring it; it is tuned again when the gate's decision changes. */
  revert(pid: number, reason: string): Restored[] {
    return this.#agents.get(pid)?.revert(reason) ?? [];
  }

  /** The process id of the running guard; undefined when there is none. */
  get guardPid(): number | undefined {
    return this.#record.guardPid;
  }

  /** Puts back and releases every agent, synchronously. The counters can still be read. */
  release(reason: string): void {
    this.#stop();
    this.#kernelEvents.end();
    for (const agent of this.#agents.all()) this.#letGo(agent, reason);
    this.#record.restoreRest(reason);
    this.#networkEvents[Symbol.dispose]();
  }

  /**
   * As `release`, but handles signals and other events meanwhile, so that what an agent makes until its turn comes is contained.
   * @param progress gets the number of agents left.
   */
  async end(reason: string, progress: (left: number) => void): Promise<void> {
    this.#stop();
    const agents = this.#agents.all();
    for (const [i, agent] of agents.entries()) {
      progress(agents.length - i);
      await setImmediate();
      this.#letGo(agent, reason);
    }
    this.#kernelEvents.end();
    this.#record.restoreRest(reason);
    this.#networkEvents[Symbol.dispose]();
  }

  /** Releases one agent. A failure is logged: it must not keep the others from being put back. */
  #letGo({ identity: { pid, name } }: Agent, reason: string): void {
    try {
      this.#agents.letGo(pid, reason);
    } catch (error) {
      this.#sayRarely(`ending with ${name} (${pid})`, error);
    }
  }

  /** No new agent is attached from now on. */
  #stop(): void {
    this.#released = true;
    this.#agents.end();
    this.#networkEvents.end();
    this.#reconciler.end();
    for (const end of this.#ends.splice(0)) end();
    process.off('exit', this.#atExit);
    this.#record.checkLedger();
  }

  [Symbol.dispose](): void {
    this.release('shutdown');
    this.#endObserving();
    this.measurement[Symbol.dispose]();
  }

  /** Runs `work` without waiting for it; what it throws is only logged. */
  #inBackground(what: string, work: Promise<void>): void {
    work.catch((error) => this.#sayRarely(what, error));
  }

  #sayRarely(what: string, error: unknown): void {
    this.#failures.say(`${what}: ${(error as Error).message}`);
  }

  async #reconcile(): Promise<void> {
    this.#record.checkGuard();
    this.measurement.sample();
    this.#turns.sweep();
    this.#memory.look(this.#agents.size);
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      if (!(await this.#reconciler.run())) return;
      await lookAgain(this.#agents);
      await this.scan();
    } finally {
      this.#isChecking = false;
    }
  }
}
