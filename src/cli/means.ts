/** What a taut needs to tune one process beside other tauts: `run` its command, `demo` its sample. */
import { Ledger } from '../actuator/ledger.ts';
import { ancestors } from '../proc/ancestry.ts';
import { tryHostLock } from './hostLock.ts';
import { hasOpen, tryLock, writerLockPath } from './locks.ts';
import { runSocketPath } from './sockets.ts';

/** What tuning needs: the host's lock and a ledger. */
export interface Means extends Disposable {
  readonly ledger: Ledger;
}

/** Another taut, which tunes instead of this one. */
export interface Other extends Disposable {
  readonly why: string;
  readonly socket: string | undefined;
}

/** @param warn is told of a stranger that keeps the host's lock. @throws Error when the locks or the ledger can't be made. */
export function meansOf(stateDir: string, warn: (message: string) => void): Means | Other {
  using stack = new DisposableStack();
  const lock = tryLock(writerLockPath(), { shared: true });
  if ('holder' in lock) return other(`process ${lock.holder} tunes this host`, lock.socket);
  stack.use(lock);
  const hosts = tryHostLock(true, warn);
  if ('holder' in hosts) return other(`${hosts.holder} tunes on this host`, undefined);
  stack.use(hosts);
  const above = writerAbove();
  if (above !== undefined) {
    const why = `process ${above}, which this one descends from, tunes`;
    return other(why, runSocketPath(stateDir, above));
  }
  const ledger = stack.use(new Ledger(stateDir));
  const held = stack.move();
  return { ledger, [Symbol.dispose]: () => held.dispose() };
}

function other(why: string, socket: string | undefined): Other {
  return { why, socket, [Symbol.dispose]: () => {} };
}

/** Process id of the nearest ancestor that is a taut which tunes its own command. */
function writerAbove(): number | undefined {
  for (const { id } of ancestors(process.ppid)) if (isWriter(id)) return id;
  return undefined;
}

function isWriter(pid: number): boolean {
  try {
    return hasOpen(pid, writerLockPath());
  } catch {
    return false; // gone, or another user's process, which uses another lock
  }
}
