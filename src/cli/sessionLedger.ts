/** What a session needs to record its changes: locks, the ledger, recovery after a killed taut, a check of the file. */
import { basename, dirname, join, resolve } from 'node:path';
import { KNOBS } from '../actuator/knobs.ts';
import { Ledger } from '../actuator/ledger.ts';
import { restoreEntries } from '../actuator/restore.ts';
import type { Restoration } from '../agents/reportRestored.ts';
import type { Watcher } from '../agents/watcher.ts';
import { nowMs } from '../proc/clock.ts';
import type { Log } from '../util/log.ts';
import { distrust } from '../util/trust.ts';
import { writeProblem } from '../util/writable.ts';
import { CliError, EXIT } from './exit.ts';
import { hostLockPath, tryHostLock } from './hostLock.ts';
import type { Lifetime } from './lifetime.ts';
import { type LockOptions, tryLock, writerLockPath } from './locks.ts';
import { socketPath } from './stateDir.ts';
import { type Said, writableMend } from './unwritable.ts';

/**
 * @returns whether taut holds the lock. Measuring goes on when it can't be used (read-only, full disk, no permission, a
 * stranger's).
 * @throws CliError when another process holds it.
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
    const problem = distrust(dirname(path), basename(path));
    const why = problem ?? writeProblem(dirname(path)) ?? (error as Error).message;
    const isHosts = path === writerLockPath();
    const without = isHosts ? 'tuning' : 'tuning and without an answer to taut status';
    const trust = isHosts ? 'mend that' : 'mend that, or use another --state-dir';
    const mend = problem === undefined ? writableMend(path) : trust;
    log.warn(`the lock ${path} can't be used: ${why}; measuring goes on, without ${without}; ${mend}`);
    missing.push('lock');
    return false;
  }
  if ('holder' in lock) throw new CliError(`process ${lock.holder} holds ${path}; ${mend}`, EXIT.failed, 'locked');
  stack.use(lock);
  return true;
}

/** Takes the lock of the state directory and, for tuning, of the host's one writer. @returns whether taut holds all. */
export function holdLocks(stack: AsyncDisposableStack, stateDir: string, mayTune: boolean, said: Said): boolean {
  const isHeld = holdLock(stack, join(stateDir, 'taut.lock'), 'end that taut, or use another --state-dir', said);
  if (!mayTune) return isHeld;
  const mend = 'one taut tunes at a time: end that one, or use --observe-only';
  const isWriter = holdLock(stack, writerLockPath(), mend, said, { socket: resolve(socketPath(stateDir)) });
  return isWriter && holdHostLock(stack, mend, said) && isHeld;
}

/** @returns whether taut may tune. @throws CliError when another taut of the host does. */
function holdHostLock(stack: AsyncDisposableStack, mend: string, { log, missing }: Said): boolean {
  let lock: ReturnType<typeof tryHostLock>;
  try {
    lock = tryHostLock(false, (message) => log.warn(message));
  } catch (error) {
    log.warn(
      `the lock of all who tune on this host can't be used: ${(error as Error).message}; measuring goes on, without tuning`,
    );
    missing.push('tune');
    return false;
  }
  if ('holder' in lock)
    throw new CliError(`${lock.holder} tunes on this host (${hostLockPath()}); ${mend}`, EXIT.failed, 'locked');
  stack.use(lock);
  return true;
}

/** @returns undefined when the ledger can't be used: then taut attaches and measures, but does not tune. */
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

/** Milliseconds between checks whether somebody removed, renamed or replaced the state directory. */
const LEDGER_CHECK_MS = 1_000;

/** Puts everything back and ends taut when the ledger is gone: `taut restore` could not find further changes. */
export function watchLedger(ledger: Ledger, watcher: Watcher, log: Log, lifetime: Pick<Lifetime, 'end'>): Disposable {
  const timer = setInterval(() => {
    if (ledger.isInPlace()) return;
    clearInterval(timer);
    lifetime.end({ why: 'the ledger is gone', exitCode: EXIT.failed, isQuiet: true });
    watcher.release('shutdown'); // before the message: if taut is killed in between, nobody else could put back
    log.error(`${ledger.path} was removed or replaced while taut ran: everything was put back, and taut ends`);
  }, LEDGER_CHECK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Puts back what a killed taut has left. @returns what to report, once telemetry has started. */
export function recover(ledger: Ledger, log: Log): Restoration | undefined {
  const entries = ledger.orphans();
  for (const what of [...ledger.lost, ...ledger.unreadable]) log.warn(`${ledger.path}: ${what}`);
  if (entries.length === 0) return undefined;
  const startMs = nowMs();
  const onUnremoved = ({ message }: Error) => log.warn(message);
  const results = restoreEntries(ledger, KNOBS, entries, { onUnremoved });
  const n = (outcome: string) => results.filter((r) => r.outcome === outcome).length;
  log.info(
    `an earlier run ended without putting back ${entries.length} values of threads: ${n('restored')} put back now, ${n('vanished')} gone, ${n('drifted')} set by somebody else since, ${n('failed')} failed`,
  );
  return { results, reason: 'an earlier taut ended without putting it back', startMs, endMs: nowMs() };
}
