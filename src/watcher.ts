/** All the agents of a host (or of one process tree): finds them, holds them, lets them go. */
import { setImmediate } from 'node:timers/promises';
import type { Descendants } from './actuator/descendants.ts';
import { KNOBS } from './actuator/knobs.ts';
import type { Ledger, LedgerEntry } from './actuator/ledger.ts';
import { isGone, ProcHandle } from './actuator/procHandle.ts';
import { type Restored, restoreEntries } from './actuator/restore.ts';
import { sweep } from './actuator/sweep.ts';
import { adopt } from './adoption.ts';
import type { Agent } from './agent.ts';
import { Agents, type AgentsOptions } from './agents.ts';
import { epochMsOfMonotonic, nowMs } from './clock.ts';
import type { Adopted } from './discovery/decisions.ts';
import type { NetworkSighting } from './discovery/network/source.ts';
import { ScanClock } from './discovery/scanClock.ts';
import type { Seen } from './discovery/sighting.ts';
import { FailureLog } from './failureLog.ts';
import { LifeEvents } from './lifeEvents.ts';
import { Measurement } from './measurement.ts';
import { inScope } from './scope.ts';
import { Signals } from './signals.ts';
import { type AgentStatus, agentStatus, type TracerStatus } from './status.ts';
import type { Measuring } from './tracer/measuring.ts';
import type { AgentSnapshot, ExpHistogram, Snapshot } from './tracer/series.ts';
import type { TuningHost } from './tuning.ts';

export interface WatcherOptions extends Omit<AgentsOptions, 'measurement'> {
  /** What this host allows. Without a tracer agents are found by scanning /proc again and again. */
  readonly measuring: Measuring;
  /** What measuring may cost in the kernel, in CPU seconds per second. */
  readonly maxOverhead?: number;
  /** Undefined: nothing is tuned. */
  readonly ledger: Ledger | undefined;
  readonly descendants: Descendants;
  readonly begun?: TuningHost['begun'];
}

/** Between looks for drift, missed threads and lost events; and, without the kernel's events, between scans. */
const RECONCILE_MS = 5_000;
const SCAN_MS = 500;

export class Watcher implements Disposable {
  readonly #options: WatcherOptions;
  readonly #signals: Signals;
  readonly #agents: Agents;
  readonly #ends: (() => void)[] = [];
  readonly #measurement: Measurement;
  readonly #life: LifeEvents;
  readonly #failures: FailureLog;
  #lostEvents = 0;
  #droppedDecisions = 0;
  #onChange: () => void = () => {};
  #endObserving: () => void = () => {};
  #released = false;
  /** Every process that ran already has been looked at. */
  readonly #looked = Promise.withResolvers<void>();

  constructor(options: WatcherOptions) {
    this.#options = options;
    const { ledger, descendants, measuring, maxOverhead } = options;
    this.#failures = new FailureLog(options.log);
    this.#signals = new Signals(options.log, measuring.mode);
    this.#measurement = new Measurement({ measuring, maxOverhead, log: options.log, signals: this.#signals });
    const host = {
      ...{ knobs: KNOBS, ledger, signals: this.#signals, descendants },
      ...(options.begun && { begun: options.begun }),
    };
    this.#agents = new Agents({ ...options, measurement: this.#measurement }, host, () => this.#onChange());
    const { scope, log } = options;
    this.#life = new LifeEvents({
      descendants,
      scope,
      log,
      agent: (pid) => this.#agents.get(pid),
      children: (rule) => options.decisions.children(rule),
      look: (pid, seen) => this.#agents.look(pid, seen),
      sight: (pid, seen, parent) => this.#agents.sight(pid, seen, parent),
      failed: (what, error) => this.#sayRarely(what, error),
      letGo: (pid, reason) => this.#agents.letGo(pid, reason),
      gone: (pid) => this.#agents.gone(pid),
    });
  }

  /** Begins: listens to the kernel, then looks at every process that runs already. Resolves after that first look. */
  async start(): Promise<void> {
    const { gate } = this.#options;
    const { tracer } = this.#options.measuring;
    tracer?.listen((events) => this.#life.handle(events));
    this.#ends.push(gate.onChange(() => this.#inBackground('the gate', this.#agents.gateAll())));
    this.#endObserving = this.#signals.observe({
      agents: () => this.#agents.all(),
      tracerCounters: () => tracer?.counters() ?? new Map(),
      kernelCpu: () => this.#measurement.kernelCpu(),
      isDegraded: () => this.#measurement.isDegraded,
      runQueueTimes: () => this.#measurement.runQueueTimes(),
    });
    await this.scan();
    this.#looked.resolve();
    const timer = setInterval(
      () => this.#inBackground('looking again', this.#reconcile()),
      tracer ? RECONCILE_MS : SCAN_MS,
    ).unref();
    this.#ends.push(() => clearInterval(timer));
  }

  /** After an agent has come, gone or changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /** Looks at every process in scope. */
  async scan(): Promise<void> {
    const { decisions, scope, log } = this.#options;
    using clock = new ScanClock();
    for await (const pid of decisions.processes(scope)) {
      if (!this.#agents.has(pid)) await this.#agents.sight(pid, { source: 'scan', atMs: nowMs() });
      clock.decided();
    }
    log.debug(clock.describe());
  }

  /** The network saw a process ask or connect: that may make it an agent, or end that it is one. Never rejects. */
  async onNetwork(sighting: NetworkSighting): Promise<void> {
    try {
      await this.#onNetwork(sighting);
    } catch (error) {
      // Anybody can have many of these seen, and what fails for one (no descriptor is left) fails for all.
      this.#signals.operation('sight', 'failed');
      this.#sayRarely(`process ${sighting.pid}, which the network showed`, error);
    }
  }

  async #onNetwork(sighting: NetworkSighting): Promise<void> {
    const { pid, startTicks } = sighting;
    const { decisions, scope } = this.#options;
    if (this.#released || pid === process.pid || !inScope(scope, pid)) return;
    try {
      using handle = new ProcHandle(pid);
      // Its id was given to another between what the kernel saw and now.
      if (handle.stat().startTicks !== startTicks) return this.#signals.operation('sight', 'vanished');
      if (!decisions.note(handle, sighting)) return;
    } catch (error) {
      if (isGone(error)) return this.#signals.operation('sight', 'vanished');
      throw error;
    }
    const seen = seenBy(sighting);
    if (!this.#agents.has(pid)) return this.#agents.sight(pid, seen);
    if (this.#agents.look(pid, seen)?.decision === 'deny') this.#agents.letGo(pid, 'a rule denies it now');
  }

  /** So many sightings of the network were lost: counted and said, as they can't be had again. */
  onLost(n: number): void {
    this.#signals.eventsLost(n);
  }

  /** The rules have changed: every process is held against them, agents first. */
  async decideAnew(): Promise<void> {
    for (const { identity } of this.#agents.all()) {
      const { pid } = identity;
      const verdict = this.#agents.look(pid, { source: 'scan', atMs: nowMs() });
      if (verdict?.decision !== 'attach' || verdict.ruleId !== identity.rule)
        this.#agents.letGo(pid, 'the rules have changed');
    }
    await this.scan();
    await this.#agents.gateAll();
  }

  /** Takes over a process that `taut run` has started. @throws Error when it is not taken. */
  async adopt(process: Adopted): Promise<AgentStatus> {
    await this.#looked.promise; // what it descends from may be an agent, and tuned
    if (this.#released) throw new Error('it is ending');
    return adopt(process, this.#agents, this.#options.decisions);
  }

  agents(): AgentStatus[] {
    return this.#agents.all().map(agentStatus);
  }

  /** Whether something that the gate wanted could not be done. */
  get hasFailed(): boolean {
    return this.#signals.hasFailed;
  }

  agent(pid: number): Agent | undefined {
    return this.#agents.get(pid);
  }

  /** Puts one agent back and goes on measuring it; it is tuned again when the gate changes its word. */
  revert(pid: number, reason: string): Restored[] {
    return this.#agents.get(pid)?.revert(reason) ?? [];
  }

  /** What the kernel counted, for the metric producer. */
  snapshots(): Snapshot[] {
    return this.#measurement.snapshots();
  }

  snapshot(pid: number): AgentSnapshot | undefined {
    return this.#options.measuring.tracer?.snapshot(pid);
  }

  /** The host's own floor, for the metric producer. */
  canaryLatency(): ExpHistogram | undefined {
    return this.#measurement.canaryLatency();
  }

  tracerStatus(): TracerStatus {
    return this.#measurement.status();
  }

  kernelCpuSeconds(): number {
    return this.#measurement.kernelCpu()?.seconds ?? Number.NaN;
  }

  /** Puts every agent back and lets it go, at once. The counters can still be read. */
  release(reason: string): void {
    this.#stop();
    for (const { identity } of this.#agents.all()) this.#agents.letGo(identity.pid, reason);
    this.#restoreRest();
  }

  /** The same, but hears signals and the like meanwhile. @param progress is told how many agents are left to be put back. */
  async end(reason: string, progress: (left: number) => void): Promise<void> {
    this.#stop();
    const agents = this.#agents.all();
    for (const [i, { identity }] of agents.entries()) {
      progress(agents.length - i);
      await setImmediate();
      this.#agents.letGo(identity.pid, reason);
    }
    this.#restoreRest();
  }

  /** Nothing new begins. */
  #stop(): void {
    this.#released = true;
    this.#agents.end();
    this.#life.end();
    for (const end of this.#ends.splice(0)) end();
    const { ledger } = this.#options;
    if (ledger?.isInPlace() === false) ledger.abandon();
  }

  /** What agents that have ended meanwhile left to children that live on. */
  #restoreRest(): void {
    const { ledger } = this.#options;
    if (ledger) this.#signals.attempt(() => restoreEntries(ledger, KNOBS, ledger.own()));
  }

  [Symbol.dispose](): void {
    this.release('shutdown');
    this.#endObserving();
    this.#measurement[Symbol.dispose]();
  }

  /** Nobody waits for `work`: what it throws is said, and ends nothing. */
  #inBackground(what: string, work: Promise<void>): void {
    work.catch((error) => this.#sayRarely(what, error));
  }

  #sayRarely(what: string, error: unknown): void {
    this.#failures.say(`${what}: ${(error as Error).message}`);
  }

  async #reconcile(): Promise<void> {
    const { ledger, measuring } = this.#options;
    const { tracer } = measuring;
    this.#measurement.sample();
    for (const agent of this.#agents.all()) {
      const { pid, name } = agent.identity;
      try {
        if (agent.isGone()) this.#agents.gone(pid);
        else agent.reconcile((id) => this.#agents.has(id));
      } catch (error) {
        this.#options.log.error(`${name} (${pid}): ${(error as Error).message}`);
      }
    }
    if (ledger) {
      const watches = ({ pid, tid, startTicks }: LedgerEntry) =>
        this.#agents.get(pid)?.watches(tid, startTicks) === true;
      this.#signals.attempt(() => sweep(ledger, watches));
    }
    const { dropped } = this.#options.decisions;
    if (dropped > this.#droppedDecisions) this.#signals.operation('keep', 'dropped', dropped - this.#droppedDecisions);
    this.#droppedDecisions = dropped;
    const lost = tracer?.lostEvents() ?? 0;
    if (tracer && lost === this.#lostEvents) return;
    if (tracer) this.#signals.eventsLost(lost - this.#lostEvents);
    this.#lostEvents = lost;
    await this.scan();
  }
}

function seenBy(sighting: NetworkSighting): Seen {
  const atMs = epochMsOfMonotonic(sighting.atNs);
  if (sighting.kind === 'name') return { source: 'dns', atMs, what: sighting.name };
  const { address, port } = sighting.contact;
  return { source: 'connection', atMs, what: `${address} port ${port}` };
}
