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

/** Nanoseconds since boot, as the kernel rounds them in /proc/ID/stat. */
export function ticksOf(bootNs: bigint): number {
  return Number(bootNs / BigInt(1e9 / TICKS_PER_SECOND));
}
