/** Handles the kernel's events: forks, execs, renames, moves and exits, and updates the agents. */
import type { Execed } from '../actuator/ledger.ts';
import type { Decisions } from '../discovery/decisions.ts';
import { inScope, type Scope } from '../discovery/scope.ts';
import type { Sighting } from '../discovery/sighting.ts';
import { addon, type KernelEvent } from '../native.ts';
import { epochMsOfMonotonic, startTicksOf } from '../proc/clock.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import type { Losses } from './losses.ts';
import type { Agents } from './registry.ts';
import type { Turns } from './turns.ts';

export interface KernelEventsOptions {
  readonly agents: Agents;
  readonly decisions: Decisions;
  readonly scope: Scope;
  readonly log: Log;
  /** Called when a thread has its process's id now, so that the ledger can follow it. */
  readonly onExeced: (thread: Execed) => void;
  readonly losses: Losses;
  /** Is told of every program, as it may be an agent's hook. */
  readonly turns?: Pick<Turns, 'heard'>;
  /** Called when work for one process failed. */
  readonly failed: (what: string, error: unknown) => void;
}

/** The kernel tells of a name before it is in force; long after that. */
const MARGIN_MS = 10;

export class KernelEvents {
  readonly #options: KernelEventsOptions;
  readonly #agents: Agents;
  #ended = false;

  constructor(options: KernelEventsOptions) {
    this.#options = options;
    this.#agents = options.agents;
  }

  /** Later events are ignored. */
  end(): void {
    this.#ended = true;
  }

  /** Handles events in the order in which the kernel reported them. */
  handle(events: readonly KernelEvent[]): void {
    if (this.#ended) return;
    this.#options.losses.note(events);
    for (const batch of batches(events)) {
      try {
        this.#onBatch(batch);
      } catch (error) {
        this.#failed(batch[0], error);
      }
    }
  }

  /** Handles events of one kind about one process. */
  #onBatch(batch: EventBatch): void {
    const [{ kind, pid }] = batch;
    const agent = this.#agents.get(pid);
    if (kind === 'exec') {
      for (const event of batch) {
        this.#options.turns?.heard(event); // first, as the counts of its instant are read
        this.#followThread(event);
        if (inScope(this.#options.scope, pid)) this.#inBackground(event, this.#onExec(event));
        this.#onExecBelow(event);
      }
    } else if (kind === 'rename') {
      // A rule may match a process by its new title.
      if (inScope(this.#options.scope, pid))
        this.#inBackground(batch[0], this.#agents.reconsider(pid, seenIn(batch[0], 'rename')));
    } else if (kind === 'moved') {
      if (this.#options.decisions.usesControlGroups && inScope(this.#options.scope, pid))
        this.#inBackground(batch[0], this.#agents.reconsider(pid, seenIn(batch[0], 'move')));
    } else if (kind === 'renaming') {
      for (const event of batch) if (inScope(this.#options.scope, pid)) this.#reconsiderLater(event);
    } else if (kind === 'newThread') agent?.newThreads(batch);
    else if (kind === 'threadExit') agent?.threadsExited(batch.map(({ tid }) => tid));
    else if (kind === 'newChild') for (const event of batch) this.#onDescendant(event);
    else this.#agents.gone(pid);
  }

  /** The kernel tells no further name or place of this process for a while, and it counts what they are then. */
  #reconsiderLater(event: KernelEvent): void {
    const { pid, atNs } = event;
    const agoMs = Number(process.hrtime.bigint() - atNs) / 1e6;
    const look = () => {
      if (!this.#ended) this.#inBackground(event, this.#agents.reconsider(pid, seenIn(event, 'rename')));
    };
    setTimeout(look, Math.max(0, addon().layout.holdNs / 1e6 - agoMs) + MARGIN_MS).unref();
  }

  #inBackground(event: KernelEvent, work: Promise<void> | undefined): void {
    work?.catch((error) => this.#failed(event, error));
  }

  #failed({ kind, pid }: KernelEvent, error: unknown): void {
    this.#options.failed(`${kind} of process ${pid}`, error);
  }

  #onDescendant(event: KernelEvent): void {
    const { pid, tid, ppid, maker, startNs, atNs } = event;
    const agent = this.#agents.get(ppid);
    if (!agent || this.#agents.get(pid)) return;
    const children = this.#options.decisions.children(agent.identity.rule);
    if (tid === pid) agent.childBorn({ pid, startTicks: startTicksOf(startNs) }, maker);
    if (tid === pid && (children === 'all' || agent.tunesChildren)) {
      this.#inBackground(event, this.#agents.attachIfAgent(pid, seenIn(event, 'child'), agent));
      if (this.#agents.has(pid)) return; // else a rule denies what it runs by now, and it must not keep the value
    }
    if (!agent.newDescendant({ tid, startTicks: startTicksOf(startNs) }, maker)) return;
    const us = Number(process.hrtime.bigint() - atNs) / 1_000;
    this.#options.log.debug(
      `put back ${tid}, made below ${agent.identity.name} (${ppid}), ${us.toFixed(0)} us after its fork`,
    );
  }

  /** What runs another program below an agent, and is none by now, may be a tool of it. */
  #onExecBelow(event: KernelEvent): void {
    const { kin } = this.#agents;
    const known = kin.get(event.pid);
    if (!known) return;
    const relative = kin.execed(event.pid, seenIn(event, 'exec'));
    if (relative) this.#agents.get(known.agent)?.childExeced(relative, event.maker);
  }

  /** The kernel gives a thread that calls execve the id of the leader, under which its entries must be found then. */
  #followThread({ pid, maker: tid, startNs }: KernelEvent): void {
    if (tid === pid) return;
    this.#options.onExeced({ pid, processStartTicks: startTicksOf(startNs), tid });
    this.#agents.get(pid)?.execed(tid);
  }

  /** Decides again on a process that runs another program; lets an agent go when it is no longer one. */
  #onExec(event: KernelEvent): Promise<void> | undefined {
    const seen = seenIn(event, 'exec');
    const present = this.#agents.get(event.pid);
    return present ? this.#onExecOf(present, seen) : this.#agents.attachIfAgent(event.pid, seen);
  }

  async #onExecOf(present: Agent, seen: Sighting): Promise<void> {
    const { pid } = present.identity;
    const verdict = this.#agents.decideAgain(pid, seen);
    // It has ended. Its end follows, and so may children that inherited from it: it must be known until then.
    if (!verdict || present.isGone()) return;
    if (verdict.decision !== 'deny' && present.stays(verdict)) return present.reconcile((id) => this.#agents.has(id));
    this.#agents.letGo(pid, 'it runs another program now');
    if (verdict.decision === 'attach') await this.#agents.attachIfAgent(pid, seen);
  }
}

function seenIn({ atNs, startNs, cmdline }: KernelEvent, source: Sighting['source']): Sighting {
  const seen = { source, atMs: epochMsOfMonotonic(atNs), startTicks: startTicksOf(startNs) };
  return cmdline === undefined ? seen : { ...seen, cmdline };
}

/** At least one event; all of one kind, about one process, in the order in which the kernel reported them. */
export type EventBatch = readonly [KernelEvent, ...KernelEvent[]];

/** Groups neighbouring events that can be handled together: a thousand new threads are one transaction. Pure. */
export function batches(events: readonly KernelEvent[]): EventBatch[] {
  const all: [KernelEvent, ...KernelEvent[]][] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (last?.[0].kind === event.kind && last[0].pid === event.pid) last.push(event);
    else all.push([event]);
  }
  return all;
}
