import { readFileSync } from 'node:fs';
import { addon, check, type TautError } from '../native.ts';
import type { ProcHandle } from '../proc/handle.ts';
import type { ThreadStat } from '../proc/stat.ts';
import { formatNs, parseNs } from '../util/duration.ts';
import { exemption, REAL_TIME } from './exempt.ts';
import type { HasOwnSlice, Knob, Support } from './knob.ts';

/** What the kernel accepts; it would take shorter and longer ones for these without a word. */
const MIN_NS = 100_000n;
const MAX_NS = 100_000_000n;
/** Stands for the kernel's default, which depends on the number of CPUs: as a number it would stay when that changes. */
const DEFAULT = 0n;
/** A slice that is no default, to try whether the kernel takes one. */
const OTHER_NS = 300_000;
/** The kernel multiplies its default by this for up to 1, 3, 7 and more CPUs. */
const FACTORS = [1, 2, 3, 4];

/** A real-time thread has no slice; one of the idle policy makes no use of it. */
const WITHOUT_SLICE: ReadonlyMap<number, string> = new Map([...REAL_TIME, [5, 'SCHED_IDLE']]);

/**
 * The scheduler's slice, in nanoseconds: `sched_runtime` of sched_setattr(2), since Linux 6.12. How long a thread may run
 * before others have their turn. Of two threads with the same share of a CPU, the one with the shorter slice runs sooner
 * after it was woken, and more often. One's own threads need no privilege; those of others CAP_SYS_NICE in the initial user
 * namespace. New threads and processes inherit it. Changes of the nice value and of the policy leave it as it is; a write of
 * all attributes by another program resets it.
 */
export const schedSlice: Knob = {
  id: 'sched_slice_ns',
  profile: 'responsive',
  title: 'scheduler slice',
  about:
    'The scheduler slice is how long a thread may run in one go. With a shorter one, an agent gets its turn sooner while a build keeps every CPU busy, and no more of the CPUs than before.',
  option: 'optimize-sched-slice',
  help: 'set the scheduler slice of agents to this (100us to 100ms); not changed unless given',
  eases: 'run queue',
  defaultTarget: MIN_NS,
  mend: 'taut needs CAP_SYS_NICE in the initial user namespace; run taut as root, on the host',

  support(): Support {
    const name = 'sched_setattr';
    try {
      const standard = defaultSlice();
      if (standard > 0n) return { name, ok: true, detail: `the kernel's default is ${formatNs(standard)}`, mend: '' };
      const detail = 'threads can not ask for a slice on this kernel';
      return { name, ok: false, detail, mend: 'run Linux 6.12 or later' };
    } catch (error) {
      return { name, ok: false, ...untold(error as TautError) };
    }
  },

  /** Accepts 100 us to 100 ms. */
  parse(text: string): bigint {
    const ns = parseNs(text, 'scheduler slice');
    if (ns < MIN_NS || ns > MAX_NS)
      throw new RangeError(`${text} is no scheduler slice: the kernel accepts 100 us to 100 ms`);
    return ns;
  },

  format(value: bigint): string {
    return value === DEFAULT ? "the kernel's default" : formatNs(value);
  },

  read(thread: ProcHandle, hasOwnSlice: HasOwnSlice = () => undefined): bigint {
    const ns = BigInt(thread.slice());
    const isOwn = ns === 0n ? undefined : hasOwnSlice(thread.id);
    if (isOwn === undefined) return standsFor(ns);
    return isOwn ? ns : DEFAULT;
  },

  write(thread: ProcHandle, value: bigint): void {
    thread.setSlice(Number(value));
  },

  /** A written value is in force when the thread is next put on a CPU; it reads back at once. */
  verify(thread: ProcHandle, wanted: bigint): bigint {
    const ns = BigInt(thread.slice());
    return ns !== 0n && ns === wanted ? wanted : standsFor(ns);
  },

  restore(thread: ProcHandle, original: bigint): void {
    schedSlice.write(thread, original);
  },

  exempt(stat: ThreadStat): string | undefined {
    return exemption(stat, WITHOUT_SLICE);
  },

  /** Only a shorter slice is an improvement. */
  improves(value: bigint, target: bigint): boolean {
    return target < (value === DEFAULT ? defaultSlice() : value);
  },

  inherited(value: bigint): bigint {
    return value;
  },
};

/** What keeps taut from trying, which says nothing about the kernel. */
function untold({ code, message }: TautError): Pick<Support, 'detail' | 'mend'> {
  const [, remedy = 'allow sched_setattr(2) to taut'] = CAUSES.find(([cause]) => cause === code) ?? [];
  return { detail: `whether threads can ask for a slice could not be told (${message})`, mend: remedy };
}

/** Any other cause is a filter of system calls, as some containers have one. */
const CAUSES: readonly (readonly [string, string])[] = [
  [
    'EPERM',
    'start taut with the ordinary policy (chrt -o 0 taut …), with CAP_SYS_NICE, or where sched_setattr(2) is allowed',
  ],
  ['EAGAIN', 'let taut start one more thread (pids.max, ulimit -u), with the ordinary policy (chrt -o 0 taut …)'],
];

/** @param ns as the kernel tells it; 0 while the thread's policy has none. */
function standsFor(ns: bigint): bigint {
  return ns === 0n || isDefault(ns) ? DEFAULT : ns;
}

/** The administrator may change the default, and CPUs come and go: what was found is looked up again after this time. */
const KNOWN_MS = 1_000;
let known: { readonly ns: bigint; readonly all: ReadonlySet<bigint>; readonly atMs: number } | undefined;

/** The kernel's default now, nanoseconds; 0 where threads can't ask for another. @throws TautError */
function defaultSlice(): bigint {
  known ??= lookedUp();
  return known.ns;
}

/**
 * Whether a slice is the kernel's default. A thread that has slept since the number of CPUs changed still has the default of
 * before, so those of other numbers of CPUs are defaults as well.
 */
function isDefault(ns: bigint): boolean {
  known ??= lookedUp();
  if (known.all.has(ns)) return true;
  if (performance.now() - known.atMs > KNOWN_MS) known = lookedUp();
  return known.all.has(ns);
}

function lookedUp(): NonNullable<typeof known> {
  const ns = check(addon().defaultSlice(OTHER_NS), 'sched_setattr of an own thread');
  const unit = ns / (FACTORS[Math.min(3, Math.floor(Math.log2(onlineCpus())))] ?? 1);
  const all = Number.isInteger(unit) ? FACTORS.map((factor) => BigInt(unit * factor)) : [];
  return { ns: BigInt(ns), all: new Set(ns === 0 ? [] : [BigInt(ns), ...all]), atMs: performance.now() };
}

function onlineCpus(): number {
  const ranges = readFileSync('/sys/devices/system/cpu/online', 'latin1').trim().split(',');
  return ranges.reduce((n, range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return n + last - first + 1;
  }, 0);
}
