/**
 * Identifies the taut that wrote a ledger entry. Several may share one ledger (`taut run` in many terminals, beside a
 * daemon): each puts back its own entries, and any of them may put back the entries of one that has ended.
 */
import { ProcHandle } from '../proc/handle.ts';
import { isRunning } from '../proc/identity.ts';

/** `PID:START`; START is field 22 of the process's `stat`, which tells it from a later process with the same id. */
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

/** The process id of an owner; undefined when there is no owner (an entry that an older taut wrote). */
export function ownerPid(owner: Owner): number | undefined {
  return parsed(owner)?.pid;
}

/** Whether the owner still runs; then it puts its entries back itself. */
export function isOwnerAlive(owner: Owner): boolean {
  const taut = parsed(owner);
  return taut !== undefined && isRunning(taut.pid, taut.startTicks);
}

function parsed(owner: Owner): { readonly pid: number; readonly startTicks: number } | undefined {
  const [, pid, startTicks] = /^(\d+):(\d+)$/.exec(owner) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), startTicks: Number(startTicks) };
}
