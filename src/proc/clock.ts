/** The kernel's clocks in the terms of ours. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: USER_HZ, 100 on every architecture that taut runs on. */
const TICKS_PER_SECOND = 100;

/** A CLOCK_MONOTONIC time in nanoseconds as milliseconds since the epoch. `hrtime` reads the same clock. */
export function epochMsOfMonotonic(ns: bigint): number {
  return nowMs() - Number(process.hrtime.bigint() - ns) / 1e6;
}

/** Now, in milliseconds since the epoch, to the microsecond. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

let bootSeconds: number | undefined;

/**
 * When a process was made, by its start time of /proc/ID/stat: milliseconds since the epoch. This identifies the process,
 * so it is computed as every other program of the host does, from the boot time that the kernel itself says: in whole
 * seconds, so it may be up to a second early. @throws Error when /proc/stat can't be read.
 */
export function creationTimeMs(startTicks: number): number {
  bootSeconds ??= Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
  return bootSeconds * 1_000 + (startTicks * 1_000) / TICKS_PER_SECOND;
}

/** The same time as near as can be (a tick or two), to be compared with `nowMs`. Not the same at every call. */
export function epochMsOfTicks(ticks: number): number {
  const uptimeMs = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1_000;
  return nowMs() - uptimeMs + (ticks * 1_000) / TICKS_PER_SECOND;
}

let offsetNs: bigint | undefined;

/**
 * A start time of the kernel, in nanoseconds of its own clock since boot, as /proc/ID/stat shows it to us: in ticks, and by
 * the clock of our time namespace.
 */
export function startTicksOf(bootNs: bigint): number {
  offsetNs ??= boottimeOffset();
  return Number((bootNs + offsetNs) / BigInt(1e9 / TICKS_PER_SECOND));
}

/** How far our time namespace's CLOCK_BOOTTIME is ahead of the kernel's own, in nanoseconds. */
function boottimeOffset(): bigint {
  try {
    const offsets = readFileSync('/proc/self/timens_offsets', 'latin1');
    const [, seconds = '0', ns = '0'] = /^boottime\s+(-?\d+)\s+(\d+)/m.exec(offsets) ?? [];
    return BigInt(seconds) * 1_000_000_000n + BigInt(ns);
  } catch {
    return 0n; // a kernel without time namespaces
  }
}
