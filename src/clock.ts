/** The kernel's clocks in the terms of ours. */
import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: USER_HZ, 100 on every architecture that taut runs on. */
const TICKS_PER_SECOND = 100;

/** A CLOCK_MONOTONIC time in nanoseconds as milliseconds since the epoch. `hrtime` reads the same clock. */
export function epochMsOfMonotonic(ns: bigint): number {
  return Date.now() - Number(process.hrtime.bigint() - ns) / 1e6;
}

/** A start time of /proc/ID/stat as milliseconds since the epoch. */
export function epochMsOfTicks(ticks: number): number {
  const uptimeSeconds = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  return Math.round(Date.now() - uptimeSeconds * 1000 + (ticks * 1000) / TICKS_PER_SECOND);
}

/** A kernel start time (nanoseconds since boot) as /proc shows it. */
export function ticksOfBootNs(ns: bigint): number {
  return Number(ns / BigInt(1e9 / TICKS_PER_SECOND));
}
