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

let bootMs: number | undefined;

/** A start time of /proc/ID/stat as milliseconds since the epoch: the same at every call, as it identifies a process. */
export function epochMsOfTicks(ticks: number): number {
  bootMs ??= Date.now() - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1_000;
  return Math.round(bootMs + (ticks * 1_000) / TICKS_PER_SECOND);
}

/** Nanoseconds since boot, as the kernel rounds them in /proc/ID/stat. */
export function ticksOf(bootNs: bigint): number {
  return Number(bootNs / BigInt(1e9 / TICKS_PER_SECOND));
}
