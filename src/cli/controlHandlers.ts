/** What a running daemon answers to other commands: everything to its own user, and a part to every user. */
import { gateNow } from '../agents/knobTuning.ts';
import type { AgentStatus, StatusDocument } from '../agents/status.ts';
import type { Watcher } from '../agents/watcher.ts';
import type { LoggedDecision } from '../discovery/decisionLog.ts';
import type { Adopted, AgentRun, Decisions } from '../discovery/decisions.ts';
import { spanContextOf } from '../telemetry/spanContext.ts';
import { isTracestate, parseTraceparent } from '../telemetry/traceContext.ts';
import type { Request } from './requests.ts';

interface Daemon {
  readonly watcher: Watcher;
  readonly decisions: Decisions;
  readonly status: () => StatusDocument;
  /** Looks at the kill switch; resolves when what follows from it is done. */
  readonly lookAtSwitch: () => Promise<void>;
}

type Adopting = Extract<Request, { op: 'adopt' }>;

function adopted({ pid, startTicks, command, targets, run }: Adopting): Adopted {
  const asked = Object.entries(targets).map(([knob, value]) => [knob, BigInt(value)] as const);
  return { pid, startTicks, command, targets: new Map(asked), run: run && runOf(run) };
}

/** Undefined for what is no trace context. */
function runOf({ traceparent, tracestate, id }: NonNullable<Adopting['run']>): AgentRun | undefined {
  const span = parseTraceparent(traceparent);
  if (!span) return undefined;
  const isState = tracestate !== undefined && isTracestate(tracestate);
  return { context: spanContextOf({ ...span, ...(isState && { state: tracestate }) }), id };
}

export function answer(request: Request, { watcher, decisions, status, lookAtSwitch }: Daemon): unknown {
  switch (request.op) {
    case 'status':
      return status();
    case 'explain':
      return { ...decisions.explain(request.pid), ...gatesOf(watcher, request.pid) };
    case 'compare':
      return decisions.compare(request.of);
    case 'last':
      return decisions.last(request.n);
    case 'restore':
      return request.pids.flatMap((pid) => watcher.revert(pid, 'taut restore'));
    case 'switch':
      return lookAtSwitch().then(() => ({ off: status().off }));
    case 'adopt':
      return watcher.adopt(adopted(request));
  }
}

/**
 * Answers any user. It never reads /proc, and its work does not grow with what a stranger asks.
 * @throws Error for a request that is not for everybody.
 */
export function answerPublicly(request: Request, { watcher, decisions, status }: Daemon): unknown {
  switch (request.op) {
    case 'status': {
      const document = status();
      return { ...document, access: 'public', coolDowns: [], agents: document.agents.map(publicAgent) };
    }
    case 'explain': {
      const kept = decisions.named(request.pid);
      return { access: 'public', kept: kept && publicDecision(kept), near: [], ...gatesOf(watcher, request.pid) };
    }
    default:
      throw new Error('that is not for everybody');
  }
}

/** The gate's decision on each knob of an agent; none for another process. `gate`: on the first, timer slack. */
function gatesOf(watcher: Watcher, pid: number) {
  const knobs = watcher.agent(pid)?.tunings.map((tuning) => ({ id: tuning.knob.id, gate: gateNow(tuning) })) ?? [];
  return { gate: knobs[0]?.gate ?? null, knobs };
}

/** A process that no rule matches has the name that it gave itself, which may be its whole command line. */
function publicName(rule: string, name: string): string {
  return rule === 'pid' ? (/^[\w.@+-]{1,32}/.exec(name)?.[0] ?? '') : name;
}

/** Without what it waited for: when a process is woken says something of what its user does. */
function publicAgent(agent: AgentStatus): AgentStatus {
  return { ...agent, name: publicName(agent.rule, agent.name), waits: null };
}

/** Leaves out the evidence, which quotes programs, paths and environments, and the names of its network contacts. */
function publicDecision({ verdict, sightings, more }: LoggedDecision): LoggedDecision {
  return {
    verdict: { ...verdict, name: publicName(verdict.ruleId, verdict.name), evidence: [], lost: [] },
    sightings: sightings.map(({ what: _, ...seen }) => seen),
    more,
  };
}
