/**
 * The lock that every taut of a host shares which may tune: whatever its user, its /run, and the container that it is in. Two that
 * tune one process would take each other's value for the process's own. It is an flock on the namespace of the clocks
 * (`/proc/self/ns/time`), which is one file for all of a host, and which containers do not get of their own. Everybody may
 * lock it, so its holder counts only if it may tune the processes of others.
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { addon, failed, TautError } from '../native.ts';
import { effectiveCapabilitiesOf, effectiveUserOf } from '../proc/status.ts';
import { CAPABILITIES } from './capabilities.ts';

/** Kernels without namespaces of clocks have the other, which a rootless container has of its own. */
const NAMESPACES = ['/proc/self/ns/time', '/proc/self/ns/user'];
/** Numbers that the kernel gives the first namespaces of a host (include/linux/proc_ns.h). */
const FIRST = { pid: 0xeffffffc, user: 0xeffffffd };

/** Another taut holds the lock. */
export interface HeldElsewhere {
  /** For a message: a process, or that it is not seen from here. */
  readonly holder: string;
}

/**
 * @param onStranger is told of a holder that may not tune the processes of others; then taut goes on without the lock.
 * @returns the lock, to be disposed of, or who holds it. @throws TautError when it can't be asked.
 */
export function tryHostLock(shared: boolean, onStranger: (message: string) => void): Disposable | HeldElsewhere {
  const path = hostLockPath();
  const fd = openSync(path, 'r');
  const error = addon().flock(fd, shared);
  if (!failed(error)) return { [Symbol.dispose]: () => closeSync(fd) };
  const refused = new TautError(error, `lock ${path}`);
  try {
    if (refused.code !== 'EAGAIN') throw refused;
    // In a PID namespace of its own, taut does not see who else holds it.
    const holders = holdersOf(fd);
    if (!isIn('self', 'pid', FIRST.pid) || holders.length === 0)
      return { holder: holders.length > 0 ? `process ${holders[0]}` : 'a process that is not seen from here' };
    const writer = holders.find((pid) => mayTune(pid, fd));
    if (writer !== undefined) return { holder: `process ${writer}` };
    onStranger(
      `${holders.map(describe).join(' and ')} keeps the lock of all who tune on this host (${path}), and may not tune the processes of others: taut goes on without it`,
    );
    return { [Symbol.dispose]: () => {} };
  } finally {
    closeSync(fd);
  }
}

/** `TAUT_HOST_LOCK` names another file, beside which the writer lock then is: tests run beside the tauts of the host. */
export function hostLockPath(): string {
  return process.env['TAUT_HOST_LOCK'] ?? NAMESPACES.find((path) => existsSync(path)) ?? '/proc/self/ns/user';
}

/**
 * Ids of the processes that have locked an open file, as far as they are seen from here. The kernel takes 10 to 25 ms for this
 * list, and stops others who lock files meanwhile: it is asked only when the lock is held.
 */
function holdersOf(fd: number): number[] {
  const { ino } = fstatSync(fd);
  return locks()
    .filter((line) => line.includes(' FLOCK ') && line.includes(`:${ino} `) && !line.includes('->'))
    .map((line) => Number(/(\d+) [0-9a-f]+:[0-9a-f]+:\d+ /.exec(line)?.[1]))
    .filter((pid) => pid > 0);
}

function locks(): string[] {
  try {
    return readFileSync('/proc/locks', 'latin1').split('\n');
  } catch {
    return []; // a container may hide it
  }
}

/** Whether a process may tune the processes of others, and so is a taut; also when that can't be seen. */
function mayTune(pid: number, fd: number): boolean {
  try {
    // The one that took the lock may have ended, and left it to a child; another process has its id by then.
    if (!hasOpen(pid, fd)) return false;
    const effective = effectiveCapabilitiesOf(readFileSync(`/proc/${pid}/status`, 'latin1'));
    const isAble = ((effective >> BigInt(CAPABILITIES.CAP_SYS_NICE.bit)) & 1n) === 1n;
    // In a user namespace of one's own everybody has every capability.
    return (
      isAble &&
      (isIn(pid, 'user', FIRST.user) || statSync(`/proc/${pid}/ns/user`).ino === statSync('/proc/self/ns/user').ino)
    );
  } catch {
    return existsSync(`/proc/${pid}`);
  }
}

/** @throws Error when this user may not see that. */
function hasOpen(pid: number, fd: number): boolean {
  const { dev, ino } = fstatSync(fd);
  return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
    const file = statSync(`/proc/${pid}/fd/${descriptor}`, { throwIfNoEntry: false });
    return file?.ino === ino && file.dev === dev;
  });
}

function isIn(pid: number | 'self', namespace: keyof typeof FIRST, number: number): boolean {
  return statSync(`/proc/${pid}/ns/${namespace}`).ino === number;
}

function describe(pid: number): string {
  try {
    return `process ${pid} of user ${effectiveUserOf(readFileSync(`/proc/${pid}/status`, 'latin1'))}`;
  } catch {
    return `process ${pid}`;
  }
}
