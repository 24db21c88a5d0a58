/**
 * What the guardrail has put back, and until when it stays so: a file in the state directory, so that it holds over a restart of
 * taut, and for every taut of that directory.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FileState, fileState } from '../util/fileChanges.ts';

export interface CoolDown {
  /** Undefined: every agent, since the host was harmed. */
  readonly agent?: { readonly pid: number; readonly startTicks: number; readonly name: string };
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly untilMs: number;
}

type Agent = Pick<NonNullable<CoolDown['agent']>, 'pid' | 'startTicks'>;

/** The newest of so many are kept. */
const MOST = 4_096;
/** The last millisecond that a `Date` can be. */
const LAST_DATE = 8.64e15;

export function coolDownsPath(stateDir: string): string {
  return join(stateDir, 'guardrail.json');
}

/** Those that last. A file that can't be understood holds every agent back: nobody is tuned by mistake. */
export function readCoolDowns(stateDir: string): readonly CoolDown[] {
  const path = coolDownsPath(stateDir);
  try {
    const now = Date.now();
    return parse(readFileSync(path, 'utf8')).filter(({ untilMs }) => untilMs > now);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    return [{ reason: `${path} can't be understood`, untilMs: LAST_DATE }];
  }
}

/** @throws Error when it is anything else. */
function parse(text: string): readonly CoolDown[] {
  const all = JSON.parse(text) as readonly Partial<CoolDown>[];
  return all.map(({ agent, reason, untilMs }) => {
    if (typeof reason !== 'string' || typeof untilMs !== 'number') throw new TypeError('no cool-down');
    if (agent === undefined) return { reason, untilMs };
    const { pid, startTicks, name } = agent;
    if (!Number.isInteger(pid) || !Number.isInteger(startTicks)) throw new TypeError('no agent');
    return { agent: { pid, startTicks, name: String(name) }, reason, untilMs };
  });
}

/** In a sentence. */
export function describeUntil({ reason, untilMs }: CoolDown): string {
  const until = new Date(Math.min(untilMs, LAST_DATE)).toISOString();
  return `${reason}; it stays so until ${until} (taut on lifts that)`;
}

/** Lifts them all. @returns how many there were. @throws an error of the file system. */
export function liftCoolDowns(stateDir: string): number {
  const lifted = readCoolDowns(stateDir).length;
  rmSync(coolDownsPath(stateDir), { force: true });
  return lifted;
}

export class CoolDowns {
  readonly #stateDir: string;
  #all: readonly CoolDown[] = [];
  #asRead: FileState = 'missing';

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.refresh();
  }

  get size(): number {
    return this.#all.length;
  }

  /** What holds an agent back now. */
  of({ pid, startTicks }: Partial<Agent>): CoolDown | undefined {
    const now = Date.now();
    return this.#all.find(
      ({ agent, untilMs }) =>
        untilMs > now && (agent === undefined || (agent.pid === pid && agent.startTicks === startTicks)),
    );
  }

  /** Holds back from now on, also where the file can't be written. @throws an error of the file system. */
  add(coolDown: CoolDown): void {
    this.refresh();
    this.#all = [...this.#all, coolDown].slice(-MOST);
    const path = coolDownsPath(this.#stateDir);
    const fresh = `${path}.${process.pid}`;
    rmSync(fresh, { force: true });
    writeFileSync(fresh, `${JSON.stringify(this.#all)}\n`, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(fresh, path);
    this.#asRead = fileState(path);
  }

  /** Looks at the file, and at the clock. @returns whether anything changed. */
  refresh(): boolean {
    const before = this.#all.length;
    const state = fileState(coolDownsPath(this.#stateDir));
    const isOther = state !== this.#asRead;
    this.#asRead = state;
    if (isOther) this.#all = readCoolDowns(this.#stateDir);
    const now = Date.now();
    if (this.#all.some(({ untilMs }) => untilMs <= now)) this.#all = this.#all.filter(({ untilMs }) => untilMs > now);
    return isOther || this.#all.length !== before;
  }
}
