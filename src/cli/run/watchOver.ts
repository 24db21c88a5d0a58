/**
 * What taut does while a command runs: it tunes the command before its first instruction, then measures the command and
 * its tree; or it lets another taut do so. A failure here is reported, and never affects the command.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startGuard } from '../../actuator/guard.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import type { Ledger } from '../../actuator/ledger.ts';
import { isOff } from '../../actuator/off.ts';
import { restoreEntries } from '../../actuator/restore.ts';
import { timerSlack } from '../../actuator/timerSlack.ts';
import { type AgentStatus, isTuned, knobsOf } from '../../agents/status.ts';
import type { Gate, Targets } from '../../gate/gate.ts';
import { observeOnlyGate } from '../../gate/staticGate.ts';
import { hasFlags, isOwn, targetsOf } from '../given.ts';
import { type Means, meansOf, type Other } from '../means.ts';
import { requireOpenFiles } from '../openFiles.ts';
import { socketPath } from '../stateDir.ts';
import { FirstTune } from './firstTune.ts';
import { handOver } from './handOver.ts';
import { measure, type Started } from './measure.ts';
import { Orphans } from './orphans.ts';

/** Another taut needs a second to start, on a busy host several. */
const TRIES = 50;
const RETRY_MS = 200;

/** Resolves when the command has ended and everything is put back. Never rejects. */
export async function watchOver(started: Started): Promise<void> {
  const { held, plan, log } = started;
  try {
    requireOpenFiles();
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
    means = meansOf(options.stateDir, log.warn);
  } catch (error) {
    log.warn(`not tuning: ${(error as Error).message}`);
    return measureOnly(started, observeOnlyGate('it can not be put on record'));
  }
  if ('why' in means) return takenOrMeasured(started, means);
  using held = means;
  await tuneFirst(started, held.ledger);
}

/** Asks another taut to take the command over; when it does not, only measures the command. */
async function takenOrMeasured(started: Started, { why, socket }: Other): Promise<void> {
  const { pid, log } = started;
  try {
    const targets = await wanted(started, socket);
    const taken = socket === undefined ? undefined : await handOverSoon(started, socket, targets);
    if (taken) {
      const said = isTuned(taken) ? 'tunes it' : `leaves it as it is (${whyNot(taken, targets)})`;
      log.info(`${why}: it has taken ${taken.name} (${pid}) over, and ${said}`);
      return started.held.release();
    }
    log.warn(`not tuning: ${why}, and does not take over`);
  } catch (error) {
    log.warn(`not tuning: ${why}, and does not take over: ${(error as Error).message}`);
  }
  await measureOnly(started, observeOnlyGate(why));
}

/** The gate's reasons about the knobs that the command is to be tuned by. */
function whyNot(taken: AgentStatus, targets: Targets): string {
  const knobs = knobsOf(taken);
  const asked = knobs.filter(({ id }) => targets.has(id));
  return [...new Set((asked.length > 0 ? asked : knobs).map(({ gate }) => gate.reason))].join('; ');
}

/** Tries repeatedly, because a taut that has just started does not listen yet. */
async function handOverSoon(started: Started, socket: string, targets: Targets): Promise<AgentStatus | undefined> {
  const { held, pid, plan, run } = started;
  const handedOver = { pid, command: plan.command, targets, carried: run.carried };
  for (let left = TRIES; left > 0 && !held.hasEnded(); left--) {
    const taken = await handOver(socket, handedOver);
    if (taken) return taken;
    started.held.release();
    await setTimeout(RETRY_MS);
  }
  return undefined;
}

/**
 * The targets that the command line and the flags ask for now. A taut of the same state directory heeds the same kill switch, and
 * tunes the command when that is lifted.
 */
async function wanted({ plan, pid, options }: Started, socket: string | undefined): Promise<Targets> {
  const identity = plan.identify(pid);
  const isOurs = socket !== undefined && dirname(socket) === resolve(options.stateDir);
  if (!identity || (!isOurs && isOff(options.stateDir))) return new Map();
  if (!hasFlags(options)) return targetsOf(options);
  const asked = new Map<string, bigint>();
  for (const knob of KNOBS) {
    const { value } = await plan.decide(knob, pid, identity.name, identity.rule);
    if (value !== null) asked.set(knob.id, value);
  }
  return asked;
}

/** Asks the daemon of the state directory to measure the command, unless options name rules or a limit for it. */
async function isTakenByDaemon(started: Started): Promise<boolean> {
  const { pid, plan, options, log, run } = started;
  const socket = socketPath(options.stateDir);
  const { config, maxOverhead } = options;
  if (isOwn(options, 'config', config) || isOwn(options, 'maxOverhead', maxOverhead) || !existsSync(socket))
    return false;
  try {
    const taken = await handOver(socket, { pid, command: plan.command, targets: new Map(), carried: run.carried });
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
  const { held, pid, plan, log, options } = started;
  const orphans = new Orphans((child) => child === pid);
  const guard = options.guard === false ? undefined : startGuard({ stateDir: options.stateDir, log });
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
  const gate = await beginWithSlack(started, first.denied.get(timerSlack));
  started.held.release();
  try {
    await measure(started, gate, { ledger, first, orphans, guard });
  } finally {
    putBack();
    await held.ended;
    putBack();
    // The guard stays when entries are left: it tries again after this process has ended.
    if (ledger.ownCount === 0) guard?.release();
  }
}

/**
 * Without privilege nobody may set the timer slack of a process but that process itself: so the command begins with it.
 * @param ns what taut may not write. @returns the gate from then on: taut does not try again.
 */
async function beginWithSlack({ held, plan, log }: Started, ns: bigint | undefined): Promise<Gate> {
  const has = ns === undefined ? undefined : await held.releaseWithSlack(ns);
  if (has === undefined) return plan.gate;
  const slack = timerSlack.format(has);
  log.warn(
    `the command began with a timer slack of ${slack}: what it starts inherits that, and taut can't put it back (${timerSlack.mend})`,
  );
  const reason = `the command began with ${slack}, and taut may not change that`;
  return {
    get provider() {
      return plan.gate.provider;
    },
    onChange: (callback) => plan.gate.onChange(callback),
    close: () => plan.gate.close(),
    decide: (question) =>
      question.knob.id === timerSlack.id ? { layer: 'never', value: null, reason } : plan.gate.decide(question),
  };
}

async function measureOnly(started: Started, gate: Gate): Promise<void> {
  started.held.release();
  await measure(started, gate);
}
