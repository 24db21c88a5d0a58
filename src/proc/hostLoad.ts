/** What the whole host does, in counters that the kernel keeps anyway. */
import { readFileSync } from 'node:fs';

/** Counted since boot. */
export interface HostLoad {
  readonly contextSwitches: number;
  /** All of them, those of timers among them. */
  readonly interrupts: number;
  /**
   * How long threads have waited for a CPU, nanoseconds, and how often one got one; undefined where the kernel has no
   * /proc/schedstat (CONFIG_SCHEDSTATS).
   */
  readonly queue: { readonly waitedNs: number; readonly turns: number } | undefined;
  /** How long something waited for a CPU, microseconds; undefined where the kernel does not say (CONFIG_PSI). */
  readonly pressureUs: number | undefined;
}

export function readHostLoad(): HostLoad {
  const stat = readFileSync('/proc/stat', 'latin1');
  const count = (key: string) => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(stat)?.[1]);
  return {
    contextSwitches: count('ctxt'),
    interrupts: count('intr'),
    queue: read('schedstat', parseQueue),
    pressureUs: read('pressure/cpu', parsePressure),
  };
}

/** @returns undefined where the kernel has no such file. */
function read<T>(file: string, parse: (text: string) => T): T | undefined {
  try {
    return parse(readFileSync(`/proc/${file}`, 'latin1'));
  } catch {
    return undefined;
  }
}

function parsePressure(text: string): number | undefined {
  const total = /^some .*\btotal=(\d+)/m.exec(text)?.[1];
  return total === undefined ? undefined : Number(total);
}

/** Of /proc/schedstat: the eighth and the ninth number of each CPU are its run_delay and its pcount. Versions 15 to 17. */
export function parseQueue(text: string): HostLoad['queue'] {
  const cpus = [...text.matchAll(/^cpu\d+ (.+)$/gm)].map(([, numbers = '']) => numbers.split(' ').map(Number));
  if (cpus.length === 0 || cpus.some((numbers) => numbers.length < 9)) return undefined;
  const sum = (at: number) => cpus.reduce((total, numbers) => total + (numbers[at] ?? 0), 0);
  return { waitedNs: sum(7), turns: sum(8) };
}
