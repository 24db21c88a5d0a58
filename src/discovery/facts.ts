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
    exe: process.link('exe'),
    comm: process.read('comm', 64).toString('utf8').trimEnd(),
    users: () => optional(() => usersOf(process), []),
    cwd: () => process.link('cwd'),
    env: () => optional(() => environmentNames(process), []),
    cgroups: () => optional(() => cgroupsOf(process), []),
    ancestors: () => ancestorsOf(process),
  };
}

function readArgv(process: ProcHandle): string[] {
  const cmdline = process.read('cmdline', 65_536).toString('utf8');
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
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(process.read('status', 8_192).toString('latin1'))?.[1] ?? '';
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
  let parent = process.stat().ppid;
  while (parent > 0 && programs.length < MAX_ANCESTORS) {
    try {
      using handle = new ProcHandle(parent);
      programs.push(effectiveProgram(readArgv(handle), handle.link('exe')).name);
      parent = handle.stat().ppid;
    } catch (error) {
      if (isGone(error)) break;
      throw error;
    }
  }
  return programs;
}
