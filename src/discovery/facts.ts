/** The facts that /proc gives about a process, read through an open handle. */
import type { Contact } from '../config/contactPattern.ts';
import { ancestors } from '../proc/ancestry.ts';
import { argvOf, readCmdline } from '../proc/cmdline.ts';
import { type LazyHandle, optional, type ProcHandle } from '../proc/handle.ts';
import { cgroupsOf } from '../proc/origin.ts';
import { usersOf } from '../proc/users.ts';
import { effectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';

/** Reads only what a rule asks for: a scan reads every process of the host, so each system call counts. */
export class ProcFacts implements ProcessFacts, LazyFacts {
  readonly argv: readonly string[];
  names: readonly string[] = [];
  contacts: readonly Contact[] = [];
  readonly #process: LazyHandle;

  /** @param cmdline if known already. @throws TautError ENOENT or ESRCH, as the facts do, when the process is gone. */
  constructor(process: LazyHandle, cmdline = readCmdline(process.get())) {
    this.#process = process;
    this.argv = argvOf(cmdline);
  }

  get pid(): number {
    return this.#process.id;
  }

  get exe(): string | undefined {
    return this.#process.get().link('exe');
  }

  get comm(): string {
    return optional(() => this.#process.get().read('comm', 64).toString('utf8').trimEnd(), '');
  }

  users(): readonly string[] {
    return optional(() => usersOf(this.#process.get()), []);
  }

  cwd(): string | undefined {
    return this.#process.get().link('cwd');
  }

  env(): readonly string[] {
    return optional(() => environmentNames(this.#process.get()), []);
  }

  cgroups(): readonly string[] {
    return optional(() => cgroupsOf(this.#process.get()), []);
  }

  ancestors(): readonly string[] {
    return ancestorsOf(this.#process.get());
  }
}

/** The names of the environment variables that it was started with; never their values, which may be secrets. */
function environmentNames(process: ProcHandle): string[] {
  const text = process.read('environ', 1 << 20).toString('utf8');
  return text.split('\0').flatMap((entry) => (entry.includes('=') ? [entry.slice(0, entry.indexOf('='))] : []));
}

/** The programs of its ancestors, nearest first. */
function ancestorsOf(process: ProcHandle): string[] {
  const programs: string[] = [];
  for (const handle of ancestors(process.stat().ppid, process.files))
    programs.push(...effectiveProgram(argvOf(readCmdline(handle)), () => handle.link('exe')).names);
  return programs;
}
