/**
 * The life of one agent process: attached -> gated -> tuned -> verified -> reverted, as one trace. Attaching writes
 * nothing to the process; tuning writes only what the gate says.
 */
import { type Context, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import * as semconv from '../otel/semconv.ts';
import { Converger, type ThreadState, threadIds } from './actuator/converge.ts';
import { containChild } from './actuator/contain.ts';
import type { Knob } from './actuator/knob.ts';
import type { Ledger } from './actuator/ledger.ts';
import type { ProcHandle } from './actuator/procHandle.ts';
import { type Restored, restoreEntries } from './actuator/restore.ts';
import { epochMsOfTicks } from './clock.ts';
import type { GateDecision } from './gate/gate.ts';
import type { Signals } from './signals.ts';

/** Who the process is, fixed when it was identified. */
export interface AgentIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly name: string;
  readonly rule: string;
  readonly attachPath: string;
  readonly executable: string | undefined;
}

/** What an agent needs of the host. `ledger` is undefined when it can't be used: then nothing is tuned. */
export interface AgentHost {
  readonly knob: Knob;
  readonly ledger: Ledger | undefined;
  readonly signals: Signals;
}

export interface ThreadCounts {
  readonly total: number;
  readonly original: number;
  readonly tuned: number;
  readonly drifted: number;
  readonly exempt: number;
}

export class Agent {
  readonly identity: AgentIdentity;
  /** Held from the first sighting: while it is open, `pid` can't mean anybody else through it. */
  readonly #handle: ProcHandle;
  readonly #host: AgentHost;
  readonly #trace: Context;
  readonly #root: Span;
  #converger: Converger | undefined;
  #target: bigint | undefined;
  gate: GateDecision = { value: null, reason: 'not asked yet' };

  /** Begins the agent's trace at the time of its sighting (milliseconds since the epoch). */
  constructor(identity: AgentIdentity, handle: ProcHandle, host: AgentHost, sightedAtMs: number) {
    this.identity = identity;
    this.#handle = handle;
    this.#host = host;
    this.#root = host.signals.tracer.startSpan(
      semconv.SPAN_ATTACH,
      { root: true, kind: SpanKind.INTERNAL, startTime: sightedAtMs, attributes: this.#attributes() },
      context.active(),
    );
    this.#trace = trace.setSpan(context.active(), this.#root);
  }

  /** What tuning writes now, nanoseconds; undefined when the agent is as it was found. */
  get target(): bigint | undefined {
    return this.#target;
  }

  get threads(): ReadonlyMap<number, ThreadState> {
    return this.#converger?.threads ?? new Map();
  }

  /** Ends the `attach` span: the process is measured, and tuned if the gate said so. */
  attached(): void {
    const { total, tuned } = this.counts();
    this.#root.setAttributes({ [semconv.ATTR_TAUT_THREADS_TOTAL]: total, [semconv.ATTR_TAUT_THREADS_TUNED]: tuned });
    this.#host.signals.operation('attach', 'ok');
    this.#root.end();
  }

  /** Takes the gate's decision, and makes the process what it says. */
  decide(decision: GateDecision): void {
    this.gate = decision;
    this.#span(semconv.SPAN_GATE, (span) => {
      span.setAttributes({
        [semconv.ATTR_TAUT_GATE_VALUE]: decision.value === null ? 'off' : String(decision.value),
        [semconv.ATTR_TAUT_GATE_REASON]: decision.reason,
        ...this.#host.signals.flagAttributes(decision),
      });
    });
    const target = decision.value ?? undefined;
    if (target === this.#target) return;
    if (this.#target !== undefined) this.revert(`gate: ${decision.reason}`);
    if (target !== undefined) this.#tune(target);
  }

  /** Tunes threads that the kernel reported as new. */
  newThread(tid: number): void {
    this.#converger?.add([tid]);
  }

  threadExit(tid: number): void {
    this.#converger?.forget(tid);
  }

  /** Puts a child process that no rule names back to what the agent was before. */
  newChild(pid: number, makerTid: number): void {
    const { ledger, knob, signals } = this.#host;
    if (!this.#converger || !ledger) return;
    const original = this.#converger.originalFor(makerTid);
    if (original === undefined) return;
    const contained = containChild(ledger, knob, pid, this.#converger.order, original);
    if (contained > 0) signals.operation('contain', 'ok', contained);
  }

  /** Looks for threads that were missed and for values that somebody else has set. Overwrites nothing. */
  reconcile(): void {
    if (!this.#converger) return;
    this.#converger.run();
    for (const { tid, expected, found } of this.#converger.findDrift())
      this.#host.signals.drift(this.identity, tid, expected, found);
  }

  /** Puts every thread back that taut changed. @returns what became of each. */
  revert(reason: string): Restored[] {
    const { ledger, knob, signals } = this.#host;
    if (!ledger || this.#target === undefined) return [];
    this.#target = undefined;
    this.#converger = undefined;
    return this.#span(semconv.SPAN_REVERT, (span) => {
      const results = restoreEntries(ledger, [knob], ledger.entries(this.identity.pid));
      span.setAttribute(semconv.ATTR_TAUT_REVERT_REASON, reason);
      for (const outcome of ['restored', 'vanished', 'drifted', 'failed'] as const) {
        const n = results.filter((r) => r.outcome === outcome).length;
        span.setAttribute(`${semconv.ATTR_TAUT_THREADS}.${outcome}`, n);
        if (n > 0) signals.operation('revert', outcome, n);
      }
      for (const r of results)
        if (r.outcome === 'drifted' && r.was !== undefined) signals.drift(this.identity, r.tid, r.original, r.was);
      if (results.some((r) => r.outcome === 'failed'))
        span.setStatus({ code: SpanStatusCode.ERROR, message: 'some threads could not be put back' });
      return results;
    });
  }

  /** The process has ended: what is on record for it means nobody now. */
  gone(): void {
    const { ledger } = this.#host;
    if (ledger) ledger.remove(ledger.entries(this.identity.pid));
    this.close();
  }

  /** Whether the process is gone: asked of the held handle, so another with its id is not mistaken for it. */
  isGone(): boolean {
    try {
      return this.#handle.stat().state === 'Z';
    } catch {
      return true;
    }
  }

  close(): void {
    this.#handle[Symbol.dispose]();
  }

  counts(): ThreadCounts {
    const total = threadIds(this.identity.pid).length;
    const states = [...this.threads.values()];
    const of = (outcome: ThreadState['outcome']) => states.filter((s) => s.outcome === outcome).length;
    const [tuned, drifted, exempt] = [of('tuned'), of('drifted'), of('exempt')];
    return { total, tuned, drifted, exempt, original: Math.max(0, total - tuned - drifted - exempt) };
  }

  #tune(target: bigint): void {
    const { ledger, knob, signals } = this.#host;
    if (!ledger) return;
    this.#span(semconv.SPAN_TUNE, (span) => {
      const { pid, startTicks, name, rule } = this.identity;
      const operation = span.spanContext().spanId;
      const reason = this.gate.reason;
      const order = { pid, processStartTicks: startTicks, target, agent: name, rule, reason, operation };
      const converger = new Converger(knob, ledger, order);
      span.setAttributes({ [semconv.ATTR_TAUT_KNOB]: knob.id, [semconv.ATTR_TAUT_TARGET]: Number(target) });
      const passes = converger.run();
      this.#converger = converger;
      this.#target = target;
      span.setAttribute(semconv.ATTR_TAUT_PASSES, passes);
      this.#account(span, 'tune', converger.threads);
    });
    this.#verify();
    if ([...this.threads.values()].some((t) => t.outcome === 'denied')) signals.denied(this.identity);
  }

  /** Reads every thread back in a pass of its own. */
  #verify(): void {
    this.#span(semconv.SPAN_VERIFY, (span) => {
      const drifted = this.#converger?.findDrift() ?? [];
      for (const d of drifted) this.#host.signals.drift(this.identity, d.tid, d.expected, d.found);
      this.#account(span, 'verify', this.threads);
    });
  }

  #account(span: Span, operation: string, threads: ReadonlyMap<number, ThreadState>): void {
    const counts = new Map<string, number>();
    for (const { outcome } of threads.values()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    span.setAttribute(semconv.ATTR_TAUT_THREADS_TOTAL, threads.size);
    for (const [outcome, n] of counts) {
      span.setAttribute(`${semconv.ATTR_TAUT_THREADS}.${outcome}`, n);
      this.#host.signals.operation(operation, outcome, n);
    }
  }

  #span<T>(name: string, body: (span: Span) => T): T {
    const span = this.#host.signals.tracer.startSpan(name, { attributes: this.#attributes() }, this.#trace);
    try {
      return body(span);
    } catch (error) {
      span.setAttribute(semconv.ATTR_ERROR_TYPE, (error as Error).name);
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      throw error;
    } finally {
      span.end();
    }
  }

  #attributes() {
    const { pid, startTicks, name, rule, attachPath, executable } = this.identity;
    return {
      [semconv.ATTR_PROCESS_PID]: pid,
      [semconv.ATTR_PROCESS_CREATION_TIME]: new Date(epochMsOfTicks(startTicks)).toISOString(),
      [semconv.ATTR_TAUT_AGENT_NAME]: name,
      [semconv.ATTR_TAUT_RULE_ID]: rule,
      [semconv.ATTR_TAUT_ATTACH_PATH]: attachPath,
      ...(executable === undefined ? {} : { [semconv.ATTR_PROCESS_EXECUTABLE_NAME]: executable }),
    };
  }
}
