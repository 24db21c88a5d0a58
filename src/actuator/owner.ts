/**
 * Which taut wrote an entry of the ledger. Several may share one ledger (`taut run` in many terminals, beside a daemon):
 * each puts back its own, and what belongs to one that is gone is anybody's to put back.
 */
import { isGone, ProcHandle } from './procHandle.ts';

/** `PID:START`, where START is field 22 of the process's `stat`, so that a reused id is not taken for it. */
export type Owner = string;

let self: Owner | undefined;

/** This process. */
export function selfOwner(): Owner {
  self ??= ownerOf(process.pid);
  return self;
}

/** @throws TautError ENOENT when there is no such process. */
function ownerOf(pid: number): Owner {
  using handle = new ProcHandle(pid);
  return `${pid}:${handle.stat().startTicks}`;
}

/** The process id of an owner; undefined for what is none (an entry that an older taut wrote). */
export function ownerPid(owner: Owner): number | undefined {
  const [pid] = /^\d+(?=:\d+$)/.exec(owner) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Whether that taut still runs, and so puts its entries back itself. */
export function isOwnerAlive(owner: Owner): boolean {
  const pid = ownerPid(owner);
  if (pid === undefined) return false;
  try {
    using handle = new ProcHandle(pid);
    return `${pid}:${handle.stat().startTicks}` === owner && !handle.hasEnded();
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}
