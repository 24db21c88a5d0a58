/** What /proc says of a process, read through a held handle; what rules seldom ask for is read only when they do. */
import { readFileSync } from 'node:fs';
import { isGone, ProcHandle } from '../actuator/procHandle.ts';
import { effectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';

const MAX_ANCESTORS = 64;

/** @throws TautError ENOENT or ESRCH when it is gone. */
export function readFacts(process: ProcHandle): ProcessFacts & LazyFacts {
  return {
    pid: process.id,
    argv: readArgv(process),
    // Only when a rule asks: of every process of a host each read counts.
    get exe() {
      return process.link('exe');
    },
    get comm() {
      return optional(() => process.read('comm', 64).toString('utf8').trimEnd(), '');
    },
    users: () => optional(() => usersOf(process), []),
    cwd: () => process.link('cwd'),
    env: () => optional(() => environmentNames(process), []),
    cgroups: () => optional(() => cgroupsOf(process), []),
    ancestors: () => ancestorsOf(process),
  };
}

/** The executable's name, without its folder; undefined when the kernel won't say. */
export function executableName(process: ProcHandle): string | undefined {
  const path = process.link('exe');
  return path?.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
}

const PAGE = 4_096;

/** @throws TautError */
function readArgv(process: ProcHandle): string[] {
  const start = process.read('cmdline', PAGE);
  const cmdline = (start.length < PAGE ? start : process.read('cmdline', 65_536)).toString('utf8');
  return cmdline === '' ? [] : cmdline.replace(/\0+$/, '').split('\0');
}

/** What the kernel won't show us is as if it were not there. */
function optional<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** The effective user's id, and its names in /etc/passwd. */
function usersOf(process: ProcHandle): string[] {
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(process.text('status', 8_192))?.[1] ?? '';
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const names = lines.map((line) => line.split(':')).filter((fields) => fields[2] === uid);
  return [uid, ...names.map(([name = '']) => name)];
}

/** The names of its environment variables, as it was started; their values are nobody's business. */
function environmentNames(process: ProcHandle): string[] {
  const text = process.read('environ', 1 << 20).toString('utf8');
  return text.split('\0').flatMap((entry) => (entry.includes('=') ? [entry.slice(0, entry.indexOf('='))] : []));
}

/** Paths of its control groups: containers and services show in them. */
function cgroupsOf(process: ProcHandle): string[] {
  const lines = process.read('cgroup', 65_536).toString('utf8').trim().split('\n');
  return lines.map((line) => line.split(':').slice(2).join(':'));
}

/** The programs of its parents, nearest first. */
function ancestorsOf(process: ProcHandle): string[] {
  const programs: string[] = [];
  for (const handle of ancestors(process.stat().ppid))
    programs.push(effectiveProgram(readArgv(handle), () => handle.link('exe')).name);
  return programs;
}

/** A process and its parents, nearest first; each is held while it is looked at. */
export function* ancestors(pid: number): Generator<ProcHandle> {
  let next = pid;
  for (let n = 0; next > 0 && n < MAX_ANCESTORS; n++) {
    try {
      using handle = new ProcHandle(next);
      yield handle;
      next = handle.stat().ppid;
    } catch (error) {
      if (isGone(error)) return;
      throw error;
    }
  }
}
