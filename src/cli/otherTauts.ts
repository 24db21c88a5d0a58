/** Whether another taut keeps this one from tuning, for doctor. */
import { type HeldElsewhere, tryHostLock } from './hostLock.ts';
import { tryLock, writerLockPath } from './locks.ts';

interface Found {
  readonly ok: boolean;
  readonly detail: string;
  readonly mend: string;
}

/** One that tunes and can be asked is no obstacle: it takes over what `taut run` starts. */
export function otherTauts(): Found {
  let holder: string | undefined;
  try {
    holder = holderOfHost();
  } catch (error) {
    return { ok: false, detail: `can't be told: ${(error as Error).message}`, mend: 'mend that' };
  }
  if (holder === undefined) return { ok: true, detail: 'none is in the way', mend: '' };
  if (takesOver())
    return { ok: true, detail: `${holder} tunes on this host, and takes over what taut run starts`, mend: '' };
  const detail = `${holder} tunes on this host, and can't be asked from here: one taut tunes at a time`;
  return { ok: false, detail, mend: 'tune with that one, or end it' };
}

/** The lock is let go at once: it is asked for only to see who has it. @throws TautError when it can't be asked. */
function holderOfHost(): string | undefined {
  const lock: Disposable | HeldElsewhere = tryHostLock(true, () => {});
  if ('holder' in lock) return lock.holder;
  lock[Symbol.dispose]();
  return undefined;
}

/** Whether the one that tunes has said where it can be asked: in a container with a `/run` of its own, nobody has. */
function takesOver(): boolean {
  try {
    const lock = tryLock(writerLockPath(), { shared: true });
    if ('holder' in lock) return lock.socket !== undefined;
    lock[Symbol.dispose]();
  } catch {
    // A lock that can't be used leads to nobody.
  }
  return false;
}
