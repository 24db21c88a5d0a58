/** Measures a running command. The modules for it take long to load, and the command's start does not wait for them. */
import { setTimeout } from 'node:timers/promises';
import type { Guard } from '../../actuator/guard.ts';
import type { Ledger } from '../../actuator/ledger.ts';
import type { Gate } from '../../gate/gate.ts';
import type { TuneOptions } from '../given.ts';
import { isTerminal } from '../output.ts';
import type { Session } from '../session.ts';
import type { Carried } from './carried.ts';
import type { FirstTune } from './firstTune.ts';
import type { HeldCommand } from './held.ts';
import type { Orphans } from './orphans.ts';
import type { Plan } from './plan.ts';
import type { QuietLog } from './quietLog.ts';
import type { Survival } from './survival.ts';

/** A command that has been started. */
export interface Started {
  readonly held: HeldCommand;
  readonly pid: number;
  readonly plan: Plan;
  readonly options: TuneOptions;
  readonly log: QuietLog;
  readonly survival: Survival;
  readonly run: Run;
}

/** The trace of a command. */
export interface Run {
  readonly carried: Carried;
  /** Whether its span `run` is exported with all else. */
  isTold: boolean;
}

/** What taut holds from before the command's first instruction until its end. */
export interface Begun {
  readonly ledger: Ledger;
  readonly first: FirstTune;
  readonly orphans: Orphans;
  /** Started before the first write. */
  readonly guard: Guard | undefined;
}

/** So long after its release a command has not ended at once. */
const AT_ONCE_MS = 5;
/** Milliseconds between searches for descendants, where the kernel does not report them. */
const LOOK_MS = 1_000;

/** Resolves when the command has ended, or taut has failed; by then everything is put back. @throws Error */
export async function measure(started: Started, gate: Gate, begun?: Begun): Promise<void> {
  const { held, pid, plan, options, log, survival, run: told } = started;
  const over = new AbortController();
  const ended = held.ended.then(() => over.abort());
  // A command that ends at once leaves nothing to measure, and does not wait for what would measure it.
  await Promise.race([setTimeout(AT_ONCE_MS), ended]);
  if (over.signal.aborted) return;
  const module = await Promise.race([import('../session.ts'), ended]);
  if (!module || over.signal.aborted) return;
  const scope = { kind: 'tree', root: pid, command: plan.command } as const;
  const { ledger, guard, first } = begun ?? {};
  const waited = isTerminal() ? new (await import('../waited.ts')).Waited() : undefined;
  const run = {
    ledger,
    guard: guard ?? false,
    begun: first?.begun ?? (() => undefined),
    ended: over.signal,
    carried: told.carried,
    pid,
  };
  try {
    const events = waited ? { onEvent: waited.hear } : {};
    await using session = await module.openSession(
      { ...options, scope, gate, lifetime: survival, run, ...events },
      log,
    );
    using _look = begun && findBorn(session, started, begun);
    await Promise.race([ended, survival.failed]);
    await session.end();
    const end = held.end();
    told.isTold = end !== undefined && session.endRun(end);
    waited?.lines().forEach(log.info);
  } catch (error) {
    if (!over.signal.aborted) throw error;
  }
}

/** Contains descendants that were born before the kernel's events began; periodically when there are no such events. */
function findBorn({ watcher }: Session, { pid, options }: Started, { first, orphans }: Begun): Disposable {
  const isAgent = (id: number) => id === pid || watcher.agent(id) !== undefined;
  const look = () => {
    const born = first.born.filter(({ descendants = options.descendants }) => descendants === 'contain');
    if (born.length === 0) return;
    orphans.contain(born, isAgent);
    for (const { containment, inheritance } of born) containment.tree(pid, inheritance, isAgent);
  };
  look();
  const { mode } = watcher.measurement;
  const isTold = mode === 'full' || mode === 'wakeups';
  if (isTold) orphans.takeNoMore();
  const timer = isTold ? undefined : setInterval(look, LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
