/** What the kernel tells of births, programs and deaths, and what follows for the agents. */
import type { Descendants } from '../actuator/descendants.ts';
import type { Verdict } from '../discovery/decisions.ts';
import { inScope, type Scope } from '../discovery/scope.ts';
import type { Seen } from '../discovery/sighting.ts';
import type { KernelEvent } from '../native.ts';
import { epochMsOfMonotonic, startTicksOf } from '../proc/clock.ts';
import type { Log } from '../util/log.ts';
import type { Agent } from './agent.ts';
import { batches, type EventBatch } from './eventBatches.ts';

/** What the events are about: the watcher's agents. */
export interface LifeEventsHost {
  readonly descendants: Descendants;
  readonly scope: Scope;
  readonly log: Log;
  agent(pid: number): Agent | undefined;
  /** Which children of a rule's agents are agents. */
  children(rule: string): 'match' | 'all' | 'none';
  /** Decides anew on a process; undefined when it is gone. */
  look(pid: number, seen: Seen): Verdict | undefined;
  /** Decides on a process and attaches to it if it is an agent, or if `parent` makes it one. */
  sight(pid: number, seen: Seen, parent?: Agent): Promise<void>;
  /** Puts an agent that lives on back, and stops measuring it. */
  letGo(pid: number, reason: string): void;
  gone(pid: number): void;
  /** Something could not be done for one process. */
  failed(what: string, error: unknown): void;
}

export class LifeEvents {
  readonly #host: LifeEventsHost;
  #ended = false;

  constructor(host: LifeEventsHost) {
    this.#host = host;
  }

  /** What comes from now on is not handled. */
  end(): void {
    this.#ended = true;
  }

  /** Handles what the kernel told, in its order. */
  handle(events: readonly KernelEvent[]): void {
    if (this.#ended) return;
    for (const batch of batches(events)) {
      try {
        this.#onBatch(batch);
      } catch (error) {
        this.#failed(batch[0], error);
      }
    }
  }

  /** Events of one kind, about one process. */
  #onBatch(batch: EventBatch): void {
    const [{ kind, pid }] = batch;
    const agent = this.#host.agent(pid);
    if (kind === 'exec') {
      if (inScope(this.#host.scope, pid)) for (const event of batch) this.#inBackground(event, this.#onExec(event));
    } else if (kind === 'rename') {
      if (inScope(this.#host.scope, pid)) this.#onRename(batch[0]);
    } else if (kind === 'newThread') agent?.newThreads(batch);
    else if (kind === 'threadExit') agent?.threadsExited(batch.map(({ tid }) => tid));
    else if (kind === 'newChild') for (const event of batch) this.#onDescendant(event);
    else this.#host.gone(pid);
  }

  #inBackground(event: KernelEvent, work: Promise<void>): void {
    work.catch((error) => this.#failed(event, error));
  }

  #failed({ kind, pid }: KernelEvent, error: unknown): void {
    this.#host.failed(`${kind} of process ${pid}`, error);
  }

  #onDescendant(event: KernelEvent): void {
    const { pid, tid, ppid, maker, startNs, atNs } = event;
    const agent = this.#host.agent(ppid);
    if (!agent || this.#host.agent(pid)) return;
    const children = this.#host.children(agent.identity.rule);
    if (tid === pid && (children === 'all' || this.#host.descendants === 'tune')) {
      this.#inBackground(event, this.#host.sight(pid, seenIn(event, 'child'), agent));
      return;
    }
    if (!agent.newDescendant({ tid, startTicks: startTicksOf(startNs) }, maker)) return;
    const us = Number(process.hrtime.bigint() - atNs) / 1_000;
    this.#host.log.debug(
      `put back ${tid}, made below ${agent.identity.name} (${ppid}), ${us.toFixed(0)} us after its fork`,
    );
  }

  /** A title makes an agent of a process that a rule knows by it; of an agent it is only asked whether it is denied. */
  #onRename(event: KernelEvent): void {
    const { pid } = event;
    const seen = seenIn(event, 'rename');
    if (!this.#host.agent(pid)) this.#inBackground(event, this.#host.sight(pid, seen));
    else if (this.#host.look(pid, seen)?.decision === 'deny') this.#host.letGo(pid, 'a rule denies it now');
  }

  /** A process that runs another program is looked at anew; an agent that is none any more is let go. */
  async #onExec(event: KernelEvent): Promise<void> {
    const { pid } = event;
    const seen = seenIn(event, 'exec');
    const present = this.#host.agent(pid);
    if (!present) return this.#host.sight(pid, seen);
    const verdict = this.#host.look(pid, seen);
    const { rule, attachPath } = present.identity;
    const stays = verdict?.decision === 'attach' ? verdict.ruleId === rule : attachPath === 'descendant';
    if (stays && verdict?.decision !== 'deny') return present.reconcile((id) => this.#host.agent(id) !== undefined);
    this.#host.letGo(pid, 'it runs another program now');
    if (verdict?.decision === 'attach') await this.#host.sight(pid, seen);
  }
}

function seenIn({ atNs, startNs, cmdline }: KernelEvent, source: Seen['source']): Seen {
  const seen = { source, atMs: epochMsOfMonotonic(atNs), startTicks: startTicksOf(startNs) };
  return cmdline === undefined ? seen : { ...seen, cmdline };
}
