/** What a session needs to put on record what it tunes: its locks, its ledger, what an earlier taut left in that, and an eye on the file. */
import { dirname, join, resolve } from 'node:path';
import { KNOBS } from '../actuator/knobs.ts';
import { Ledger } from '../actuator/ledger.ts';
import { restoreEntries } from '../actuator/restore.ts';
import type { Restoration } from '../agents/tellRestored.ts';
import type { Watcher } from '../agents/watcher.ts';
import { nowMs } from '../proc/clock.ts';
import type { Log } from '../util/log.ts';
import { writeProblem } from '../util/writable.ts';
import { CliError, EXIT } from './exit.ts';
import type { Lifetime } from './lifetime.ts';
import { type LockOptions, tryLock, writerLockPath } from './locks.ts';
import { socketPath } from './stateDir.ts';
import { type Said, writableMend } from './unwritable.ts';

/**
 * @returns whether it is held. A lock that can't be made (read-only, full, not allowed) is no reason not to measure.
 * @throws CliError when somebody else holds it.
 */
function holdLock(
  stack: AsyncDisposableStack,
  path: string,
  mend: string,
  { log, missing }: Said,
  options: LockOptions = {},
): boolean {
  let lock: ReturnType<typeof tryLock>;
  try {
    lock = tryLock(path, options);
  } catch (error) {
    const cause = `the lock ${path} can't be made: ${writeProblem(dirname(path)) ?? (error as Error).message}`;
    const without = path === writerLockPath() ? 'tuning' : 'tuning and without an answer to taut status';
    log.warn(`${cause}; measuring goes on, without ${without}; ${writableMend(path)}`);
    missing.push('lock');
    return false;
  }
  if ('holder' in lock) throw new CliError(`process ${lock.holder} holds ${path}; ${mend}`, EXIT.failed);
  stack.use(lock);
  return true;
}

/** Of the state directory and, where anything may be tuned, of the host's one writer. @returns whether all are held. */
export function holdLocks(stack: AsyncDisposableStack, stateDir: string, mayTune: boolean, said: Said): boolean {
  const isHeld = holdLock(stack, join(stateDir, 'taut.lock'), 'end that taut, or use another --state-dir', said);
  if (!mayTune) return isHeld;
  const mend = 'one taut tunes at a time: end that one, or use --observe-only';
  return holdLock(stack, writerLockPath(), mend, said, { socket: resolve(socketPath(stateDir)) }) && isHeld;
}

/** Without a usable ledger nothing is tuned; attaching and measuring go on. */
export function openLedger(stateDir: string, mayTune: boolean, log: Log, missing: string[]): Ledger | undefined {
  try {
    return new Ledger(stateDir);
  } catch (error) {
    if (mayTune) {
      log.warn(`not tuning: ${(error as Error).message}`);
      missing.push('tune');
    }
    return undefined;
  }
}

/** How soon it is noticed that somebody removed, renamed or replaced the state directory. */
const LEDGER_CHECK_MS = 1_000;

/** Nothing can be put on record in a ledger that is gone, nor found by `taut restore`: then this taut puts back and ends. */
export function watchLedger(ledger: Ledger, watcher: Watcher, log: Log, lifetime: Pick<Lifetime, 'end'>): Disposable {
  const timer = setInterval(() => {
    if (ledger.isInPlace()) return;
    clearInterval(timer);
    lifetime.end({ why: 'the ledger is gone', exitCode: EXIT.failed, isQuiet: true });
    watcher.release('shutdown'); // at once, and before it is said: killed in between, nobody else could
    log.error(`${ledger.path} was removed or replaced while taut ran: everything was put back, and taut ends`);
  }, LEDGER_CHECK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Puts back what a taut that was killed has left behind. @returns what there is to tell of it, once there is telemetry. */
export function recover(ledger: Ledger, log: Log): Restoration | undefined {
  const entries = ledger.orphans();
  if (entries.length === 0) return undefined;
  const startMs = nowMs();
  const results = restoreEntries(ledger, KNOBS, entries);
  const n = (outcome: string) => results.filter((r) => r.outcome === outcome).length;
  log.info(
    `an earlier run ended without putting back ${entries.length} threads: ${n('restored')} put back now, ${n('vanished')} gone, ${n('drifted')} set by somebody else since, ${n('failed')} failed`,
  );
  return { results, reason: 'an earlier taut ended without putting it back', startMs, endMs: nowMs() };
}
