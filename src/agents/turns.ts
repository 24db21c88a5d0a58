/**
 * The turns of agents, as their hooks tell of them: what each agent's histograms gain from the beginning of a turn to its end.
 * Who tells is known by the kernel alone: the agent is what forked the hook, and must be of its user. So a hook that lies tells
 * lies of its own agent, and nobody else's. What a flood of hooks can cost is bounded, and everything refused is counted.
 */
import type { KernelEvent } from '../native.ts';
import { epochMsOfMonotonic, nowMs } from '../proc/clock.ts';
import type { AgentSnapshot, Series } from '../tracer/series.ts';
import { Allowance } from '../util/allowance.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import type { Operations } from './operations.ts';
import { reportTurn } from './reportTurn.ts';
import { sessionOf, type Turn, type TurnEnd, tunedOf } from './turn.ts';
import { isOfHook, type TurnMarker, turnMarker } from './turnMarker.ts';
import { since, turnWaits } from './turnWaits.ts';

/** Why what a hook says does not count. */
type Refusal =
  /** taut knows no agent above it. */
  | 'no_agent'
  | 'other_user'
  | 'malformed'
  | 'too_many'
  /** taut heard of it so late that its histograms are of another time. */
  | 'late'
  | 'no_begin'
  /** The agent has no histograms of its own. */
  | 'unmeasured'
  /** The kernel had no room for the ids. */
  | 'no_room';

export interface TurnsOptions {
  readonly agents: { get(pid: number): Agent | undefined; all(): readonly Agent[] };
  /** The histograms of a process until now; undefined when it has none of its own. */
  readonly snapshot: (pid: number) => AgentSnapshot | undefined;
  readonly hasTimers: boolean;
  readonly operations: Pick<Operations, 'count' | 'turn'>;
  readonly log: Log;
}

/** Turns that are not over yet: of an agent, which may have several sessions, and of all agents. */
const MOST_OF_AGENT = 8;
const MOST = 1_024;
const MOST_SESSIONS = 64;
/** A turn that is not over by then is: its end was missed. */
const LONGEST_MS = 24 * 3_600_000;
/** Later than this after a hook what is read is no more what there was at the hook. */
const LATE_MS = 5_000;
/** An agent has two hooks a turn, and a user some agents. Reading the histograms takes up to a millisecond. */
const OF_AGENT = { burst: 20, perSecond: 5 };
const OF_USER = { burst: 100, perSecond: 25 };

export class Turns {
  readonly #options: TurnsOptions;
  /** By agent, and by session. */
  readonly #open = new Map<number, Map<string, Turn>>();
  /** The sessions of which taut has heard: only the first turn can have begun before it could hear of that. */
  readonly #sessions = new WeakMap<Agent, Set<string>>();
  readonly #ofAgents = new Allowance<string>(OF_AGENT);
  readonly #ofUsers = new Allowance<number>(OF_USER);

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** A program was executed: it may be a hook's. */
  heard(event: KernelEvent): void {
    if (event.ppid === 0 && !(event.cmdline && isOfHook(event.cmdline))) return;
    const refused = this.#take(event);
    if (refused) this.#options.operations.count('turn', refused);
  }

  #take(event: KernelEvent): Refusal | undefined {
    const { cmdline, ppid, user, atNs } = event;
    const said = cmdline === undefined ? 'no_room' : turnMarker(cmdline);
    if (said === undefined || said === 'no_room' || said === 'malformed') return said;
    const child = this.#options.agents.get(ppid);
    if (!child) return 'no_agent';
    const now = nowMs();
    if (!this.#ofAgents.take(`${ppid} ${user}`, now)) return 'too_many';
    const agent = this.#principal(child);
    if (agent.effectiveUser() !== user) return 'other_user';
    if (!this.#ofUsers.take(user, now)) return 'too_many';
    const isLate = now - epochMsOfMonotonic(atNs) > LATE_MS;
    const isFirst = this.#isFirst(agent, said);
    if (said.event === 'begin') return this.#begin(agent, said, isLate);
    const turn = this.#turnOf(agent, said) ?? (isFirst && !isLate ? this.#begunBefore(agent, said) : undefined);
    return turn ? this.#end(turn, isLate) : 'no_begin';
  }

  /** Whether nothing was heard of its session before. */
  #isFirst(agent: Agent, said: TurnMarker): boolean {
    const sessions = this.#sessions.get(agent) ?? new Set();
    this.#sessions.set(agent, sessions);
    const isFirst = !sessions.has(sessionOf(said)) && sessions.size < MOST_SESSIONS;
    if (isFirst) sessions.add(sessionOf(said));
    return isFirst;
  }

  #begin(agent: Agent, said: TurnMarker, isLate: boolean): Refusal | undefined {
    const { pid, name } = agent.identity;
    const session = sessionOf(said);
    const turns = this.#open.get(pid) ?? new Map<string, Turn>();
    const last = turns.get(session);
    if (last) this.#over(last, 'superseded');
    if (isLate) return 'late';
    if (turns.size >= MOST_OF_AGENT || this.#size >= MOST) return 'too_many';
    if (!this.#options.snapshot(pid)) return 'unmeasured';
    const before = new Map<number, AgentSnapshot>();
    for (const { identity } of this.#processesOf(agent)) {
      const snapshot = this.#options.snapshot(identity.pid);
      if (snapshot) before.set(identity.pid, snapshot);
    }
    const begunMs = nowMs();
    const processes = new Set(before.keys());
    const turn = { agent, said, begunMs, before, ended: [], processes, tuned: tunedOf(agent), isPartial: false };
    turns.set(session, turn);
    this.#open.set(pid, turns);
    this.#options.operations.count('turn', 'begun');
    this.#options.log.debug(`a turn of ${name} (${pid}) begins`);
    return undefined;
  }

  /** The open turn of which a hook speaks. */
  #turnOf(agent: Agent, said: TurnMarker): Turn | undefined {
    const turn = this.#open.get(agent.identity.pid)?.get(sessionOf(said));
    const isOther = turn?.said.turn !== undefined && said.turn !== undefined && turn.said.turn !== said.turn;
    return isOther ? undefined : turn;
  }

  /**
   * A turn that ends and did not begin since the agent was found had begun before: `taut run` starts its command before it
   * can measure. All that the agent has waited for until now was in this turn, unless its histograms are those of a time before.
   */
  #begunBefore(agent: Agent, said: TurnMarker): Turn | undefined {
    const begunMs = this.#options.snapshot(agent.identity.pid)?.attachedAtMs ?? 0;
    if (begunMs < agent.sightedAtMs) return undefined;
    this.#options.operations.count('turn', 'begun_before');
    return { agent, said, begunMs, before: new Map(), ended: [], processes: new Set(), tuned: [], isPartial: true };
  }

  #end(turn: Turn, isLate: boolean): undefined {
    if (isLate) {
      this.#forget(turn);
      this.#options.operations.count('turn', 'ended_late');
    } else this.#over(turn, 'ended');
  }

  /** An agent, or a process of one, is let go or has ended; its histograms can still be read. */
  leaving(agent: Agent, why: 'agent_ended' | 'released'): void {
    if (this.#open.size === 0) return;
    for (const turn of this.#turnsOf(agent)) this.#over(turn, why);
    const principal = this.#principal(agent);
    if (principal === agent) return;
    for (const turn of this.#turnsOf(principal)) turn.ended.push(...this.#added(turn, agent));
  }

  /** Call periodically: ends turns whose end was missed. */
  sweep(): void {
    const oldest = nowMs() - LONGEST_MS;
    const all = [...this.#open.values()].flatMap((turns) => [...turns.values()]);
    for (const turn of all) if (turn.begunMs < oldest) this.#over(turn, 'too_long');
  }

  #over(turn: Turn, end: TurnEnd): void {
    this.#forget(turn);
    const { agent } = turn;
    const series = [...turn.ended, ...this.#processesOf(agent).flatMap((one) => this.#added(turn, one))];
    const endMs = nowMs();
    const waits = turnWaits(series, this.#options.hasTimers);
    const tuned = [...new Set([...turn.tuned, ...tunedOf(agent)])];
    this.#options.operations.count('turn', end);
    if (end === 'ended') this.#options.operations.turn(agent.identity.name, tuned.length > 0, waits.lost);
    reportTurn(this.#options.log, { turn, end, endMs, waits, tuned });
  }

  /** What was counted of one of its processes since its beginning, or since the process became one. */
  #added(turn: Turn, { identity: { pid } }: Agent): Series[] {
    const now = this.#options.snapshot(pid);
    if (!now) return [];
    turn.processes.add(pid);
    const before = turn.before.get(pid);
    return since(now.series, before?.createdAtMs === now.createdAtMs ? before.series : []);
  }

  #forget(turn: Turn): void {
    const { pid } = turn.agent.identity;
    const session = sessionOf(turn.said);
    const turns = this.#open.get(pid);
    if (turns?.get(session) === turn) turns.delete(session);
    if (turns?.size === 0) this.#open.delete(pid);
  }

  #turnsOf({ identity: { pid } }: Agent): Turn[] {
    return [...(this.#open.get(pid)?.values() ?? [])];
  }

  get #size(): number {
    return [...this.#open.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** The agent, and those of its children that are agents as its children alone: they are its workers. */
  #processesOf(agent: Agent): Agent[] {
    const workers = this.#options.agents.all().filter((one) => one.maker && this.#principal(one) === agent);
    return [agent, ...workers];
  }

  /** The agent whose worker it is; itself if it is none. */
  #principal(agent: Agent): Agent {
    let at = agent;
    while (at.maker) {
      const above: Agent | undefined = this.#options.agents.get(at.maker.pid);
      if (above?.identity !== at.maker) break;
      at = above;
    }
    return at;
  }
}
