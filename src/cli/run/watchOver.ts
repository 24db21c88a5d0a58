/**
 * What taut does about a command while it runs: tunes it before its first instruction, then measures it and its tree; or
 * has another taut do so. Whatever fails here is said, and never the command's concern.
 */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { KNOBS } from '../../actuator/knobs.ts';
import { Ledger } from '../../actuator/ledger.ts';
import { restoreEntries } from '../../actuator/restore.ts';
import type { Gate, Targets } from '../../gate/gate.ts';
import { observeOnlyGate } from '../../gate/staticGate.ts';
import { inScope } from '../../scope.ts';
import type { AgentStatus } from '../../status.ts';
import { holdersOf, tryLock, writerLockPath } from '../locks.ts';
import { targetsOf } from '../options.ts';
import { runSocketPath, socketPath } from '../sockets.ts';
import { FirstTune } from './firstTune.ts';
import { handOver } from './handOver.ts';
import { measure, type Started } from './measure.ts';
import { Orphans } from './orphans.ts';

/** Another taut needs a second to begin, on a busy host several. */
const TRIES = 50;
const RETRY_MS = 200;

/** Resolves when the command has ended and everything is put back. Never rejects. */
export async function watchOver(started: Started): Promise<void> {
  const { held, plan, log } = started;
  try {
    if (plan.mayTune) await tuneAndMeasure(started);
    else if (!(await isTakenByDaemon(started))) await measureOnly(started, plan.gate);
  } catch (error) {
    log.warn(`${(error as Error).message}; the command goes on`);
  } finally {
    held.release();
    await held.ended;
  }
}

async function tuneAndMeasure(started: Started): Promise<void> {
  const { log, options } = started;
  let means: Means | Other;
  try {
    means = meansOf(options.stateDir);
  } catch (error) {
    log.warn(`not tuning: ${(error as Error).message}`);
    return measureOnly(started, observeOnlyGate('it can not be put on record'));
  }
  if ('why' in means) return takenOrMeasured(started, means);
  using held = means;
  await tuneFirst(started, held.ledger);
}

/** What tuning takes: the host's lock, and a ledger. */
interface Means extends Disposable {
  readonly ledger: Ledger;
}

/** Another taut, which tunes in this one's place. */
interface Other {
  readonly why: string;
  readonly socket: string | undefined;
}

/** @throws Error where there can be no lock or ledger. */
function meansOf(stateDir: string): Means | Other {
  using stack = new DisposableStack();
  const lock = tryLock(writerLockPath(), { shared: true });
  if ('holder' in lock) return { why: `process ${lock.holder} tunes this host`, socket: lock.socket };
  stack.use(lock);
  const above = writerAbove();
  if (above !== undefined) {
    const why = `process ${above}, which this one descends from, tunes`;
    return { why, socket: runSocketPath(stateDir, above) };
  }
  const ledger = stack.use(new Ledger(stateDir));
  const held = stack.move();
  return { ledger, [Symbol.dispose]: () => held.dispose() };
}

/** The nearest thing to what was asked for: another taut may do it, if it is willing. */
async function takenOrMeasured(started: Started, { why, socket }: Other): Promise<void> {
  const { pid, log } = started;
  try {
    const targets = await wanted(started);
    const taken = socket === undefined ? undefined : await handOverSoon(started, socket, targets);
    if (taken) {
      const said = taken.target === null ? `leaves it as it is (${taken.gate.reason})` : 'tunes it';
      log.info(`${why}: it has taken ${taken.name} (${pid}) over, and ${said}`);
      return started.held.release();
    }
    log.warn(`not tuning: ${why}, and does not take over`);
  } catch (error) {
    log.warn(`not tuning: ${why}, and does not take over: ${(error as Error).message}`);
  }
  await measureOnly(started, observeOnlyGate(why));
}

/** Who began a moment ago does not listen yet. */
async function handOverSoon(started: Started, socket: string, targets: Targets): Promise<AgentStatus | undefined> {
  const { held, pid, plan } = started;
  const handedOver = { pid, command: plan.command, targets };
  for (let left = TRIES; left > 0 && !held.hasEnded(); left--) {
    const taken = await handOver(socket, handedOver);
    if (taken) return taken;
    started.held.release();
    await setTimeout(RETRY_MS);
  }
  return undefined;
}

/** What the command line and the flags ask for now. */
async function wanted({ plan, pid, options }: Started): Promise<Targets> {
  const identity = plan.identify(pid);
  if (!identity) return new Map();
  if (options.flags === undefined) return targetsOf(options);
  const asked = new Map<string, bigint>();
  for (const knob of KNOBS) {
    const { value } = await plan.decide(knob, pid, identity.name, identity.rule);
    if (value !== null) asked.set(knob.id, value);
  }
  return asked;
}

/** A daemon of the same state directory measures it with all others, unless this command has wishes of its own. */
async function isTakenByDaemon(started: Started): Promise<boolean> {
  const { pid, plan, options, log } = started;
  const socket = socketPath(options.stateDir);
  if (options.config !== undefined || options.maxOverhead !== undefined || !existsSync(socket)) return false;
  try {
    const taken = await handOver(socket, { pid, command: plan.command, targets: new Map() });
    if (!taken) return false;
    log.info(`the taut watch of ${options.stateDir} has taken ${taken.name} (${pid}) over`);
    started.held.release();
    return true;
  } catch (error) {
    log.info(`the taut watch of ${options.stateDir} does not take the command over: ${(error as Error).message}`);
    return false;
  }
}

async function tuneFirst(started: Started, ledger: Ledger): Promise<void> {
  const { held, pid, plan, log } = started;
  const orphans = new Orphans((child) => child === pid);
  using first = new FirstTune(pid);
  try {
    await first.tune(plan, ledger);
  } catch (error) {
    log.warn(`not tuned before it starts: ${(error as Error).message}`);
  }
  const putBack = () => {
    try {
      restoreEntries(ledger, KNOBS, ledger.own());
    } catch (error) {
      log.error(`putting back: ${(error as Error).message}`);
    }
    orphans.contain(first.born, () => false);
  };
  started.held.release();
  try {
    await measure(started, plan.gate, { ledger, first, orphans });
  } finally {
    putBack();
    await held.ended;
    putBack();
  }
}

async function measureOnly(started: Started, gate: Gate): Promise<void> {
  started.held.release();
  await measure(started, gate);
}

/** Of the tauts that tune a command each, the one whose command this process is a part of. */
function writerAbove(): number | undefined {
  try {
    const others = holdersOf(writerLockPath()).filter((pid) => pid !== process.pid);
    return others.find((root) => inScope({ kind: 'tree', root, command: [] }, process.pid));
  } catch {
    return undefined; // nobody has ever tuned here
  }
}
