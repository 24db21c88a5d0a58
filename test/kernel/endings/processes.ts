/** The processes of one taut of the tests: itself, its guard, what restores, the demo's sample. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { processIds } from './crew.ts';

export const KINDS = ['taut', 'restore', 'guard', 'sample'] as const;
export type Kind = (typeof KINDS)[number];

export interface TautProcess {
  readonly pid: number;
  readonly kind: Kind;
}

/** Stands in the environment of every process that a taut of the tests starts. */
export const MARK = 'TAUT_TEST_LIFE';

/** @param life what the environment says; `dir`: the state directory, which tells of a guard that has no environment. */
export function processesOf(life: string, dir: string): TautProcess[] {
  return processIds().flatMap((pid) => {
    try {
      const kind = kindOf(pid);
      return kind && belongs(pid, kind, life, dir) ? [{ pid, kind }] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

/** Every process that a taut of the tests started, and what started it. */
export function markedBy(life: string): number[] {
  return processIds().filter((pid) => {
    try {
      return isMarked(pid, life);
    } catch {
      return false;
    }
  });
}

function isMarked(pid: number, life: string): boolean {
  return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${life}\0`);
}

export function hasEnded(pid: number): boolean {
  return /^[ZX]|^$/.test(field(pid, 'State') ?? '');
}

/** A process that may have ended meanwhile. */
export function kill(pid: number, signal: NodeJS.Signals | number = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function nameOf(pid: number): string {
  return field(pid, 'Name') ?? '';
}

export function parentOf(pid: number): number {
  return Number(field(pid, 'PPid'));
}

/** The process group of a process; undefined when it is gone. */
export function groupOf(pid: number): number | undefined {
  const group = field(pid, 'NSpgid')?.split('\t')[0];
  return group === undefined ? undefined : Number(group);
}

/** Of its status; undefined when it is gone. */
function field(pid: number, name: string): string | undefined {
  try {
    return new RegExp(`^${name}:\\s+(.*)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

function kindOf(pid: number): Kind | undefined {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  if (args[0] === '') return undefined; // a kernel thread, or ended
  const program = basename(readlinkSync(`/proc/${pid}/exe`));
  if (program.startsWith('taut-guard')) return 'guard';
  if (args.some((arg) => arg.startsWith('while gzip '))) return 'sample'; // a job of its build
  if (program !== 'node') return undefined;
  const at = args.findIndex((arg) => /\/dist\/cli\/main\.cjs$|\/fixtures\/libraryUser\.ts$/.test(arg));
  if (args[at + 1] === 'restore' || args.some((arg) => arg.endsWith('/dist/cli/guardRestore.cjs'))) return 'restore';
  if (at > 0) return 'taut';
  return args.some((arg) => /\/cli\/demo\/sample-\w+\.mjs$/.test(arg)) ? 'sample' : undefined;
}

function belongs(pid: number, kind: Kind, life: string, dir: string): boolean {
  if (isMarked(pid, life)) return true;
  if (kind !== 'guard' && kind !== 'restore') return false;
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(join('/proc', String(pid), 'fd', fd)));
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(dir) || files.some((file) => file.startsWith(dir));
}
