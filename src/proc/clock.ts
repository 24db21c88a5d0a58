/** Converts times of the kernel's clocks. */
import { readFileSync } from 'node:fs';
import type { ProcFiles } from './files.ts';

/** Clock ticks per second in /proc: USER_HZ, 100 on every architecture that taut runs on. */
export const TICKS_PER_SECOND = 100;

/** A CLOCK_MONOTONIC time in nanoseconds as milliseconds since the epoch. `hrtime` reads the same clock. */
export function epochMsOfMonotonic(ns: bigint): number {
  return nowMs() - Number(process.hrtime.bigint() - ns) / 1e6;
}

/** Now, in milliseconds since the epoch, with microseconds. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

let bootSeconds: number | undefined;

/**
 * Creation time of a process, from its start time in /proc/ID/stat: milliseconds since the epoch. It identifies the
 * process, so every program of the host must compute the same value: from the boot time in /proc/stat. That has whole
 * seconds, so the result may be up to a second early. @throws Error when /proc/stat can't be read.
 */
export function creationTimeMs(startTicks: number): number {
  bootSeconds ??= Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
  return bootSeconds * 1_000 + (startTicks * 1_000) / TICKS_PER_SECOND;
}

/** A start time as milliseconds since the epoch, exact to a tick or two, to compare with `nowMs`. Calls differ. */
export function epochMsOfTicks(ticks: number): number {
  const uptimeMs = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1_000;
  return nowMs() - uptimeMs + (ticks * 1_000) / TICKS_PER_SECOND;
}

/** Nanoseconds of a clock tick, and for how long an offset between two clocks is believed: a suspend changes it. */
const TICK_NS = BigInt(1e9 / TICKS_PER_SECOND);
const KNOWN_NS = 10_000_000_000n;
let uptime: { readonly offset: bigint; readonly untilNs: bigint } | undefined;

/**
 * Now, in the clock ticks since boot of start times in /proc/ID/stat: never later than what a thread that is born now gets,
 * and a tick or two earlier at most, but for 10 s after a suspend.
 */
export function nowTicks(files?: ProcFiles): number {
  if (files?.nowTicks) return files.nowTicks();
  const ns = process.hrtime.bigint();
  if (!uptime || ns > uptime.untilNs) {
    const ticks = BigInt(Math.floor(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * TICKS_PER_SECOND));
    const readNs = process.hrtime.bigint();
    uptime = { offset: ticks - readNs / TICK_NS - 1n, untilNs: readNs + KNOWN_NS };
  }
  return Number(process.hrtime.bigint() / TICK_NS + uptime.offset);
}

let offsetNs: bigint | undefined;

/**
 * Converts a start time of the kernel (nanoseconds since boot, by the kernel's own clock) to the start time that
 * /proc/ID/stat shows: in ticks, by the clock of taut's time namespace.
 */
export function startTicksOf(bootNs: bigint): number {
  offsetNs ??= boottimeOffset();
  return Number((bootNs + offsetNs) / TICK_NS);
}

/** Nanoseconds by which CLOCK_BOOTTIME of taut's time namespace is ahead of the kernel's own. */
function boottimeOffset(): bigint {
  try {
    const offsets = readFileSync('/proc/self/timens_offsets', 'latin1');
    const [, seconds = '0', ns = '0'] = /^boottime\s+(-?\d+)\s+(\d+)/m.exec(offsets) ?? [];
    return BigInt(seconds) * 1_000_000_000n + BigInt(ns);
  } catch {
    return 0n; // a kernel without time namespaces
  }
}
