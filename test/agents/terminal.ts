/** One real agent in a terminal of its own, as a person starts it, and every process that it is seen to start. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Program } from '../support/program.ts';
import { installed } from './install.ts';
import type { Runnable, World } from './world.ts';

/** A process as /proc showed it last. */
export interface Seen {
  readonly pid: number;
  readonly ppid: number;
  readonly argv: readonly string[];
  readonly exe: string;
}

/** What lives shorter may be missed; that it was no agent is known from taut. */
const LOOK_MS = 50;

/** What a terminal answers, without which some programs wait: where the cursor is, what it is. */
const ANSWERS: readonly (readonly [string, string])[] = [
  ['\x1b[6n', '\x1b[1;1R'],
  ['\x1b[c', '\x1b[?62;22c'],
];

/** What draws, instead of being read: control sequences, and titles. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are control characters
const DRAWING = /\x1b\[[0-9;?<>=!$]*[ -/]*[@-~]|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b./g;

export class Terminal implements AsyncDisposable {
  /** Every process and what it ran, in the order in which they were seen: one that ran two programs is there twice. */
  readonly seen: Seen[] = [];
  /** Those that live, a moment ago. */
  processes: readonly Seen[] = [];
  hasEnded = false;
  readonly #process: Program;
  readonly #known = new Set<string>();
  readonly #looks: NodeJS.Timeout;
  #output = '';

  constructor(program: Runnable, world: World) {
    this.#process = world.startInTerminal(program, installed(program));
    for (const stream of [this.#process.child.stdout, this.#process.child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#onOutput(bytes.toString()));
    this.#process.child.stdin?.on('error', () => undefined); // it may have ended before it is answered
    void this.#process.ended.then(() => {
      this.hasEnded = true;
    });
    this.#looks = setInterval(() => this.#look(), LOOK_MS);
  }

  /** What can be read of its output, with single spaces. */
  screen(): string {
    return this.#output.replace(DRAWING, '').replace(/\s+/g, ' ');
  }

  /** For who must find out why it was not found. */
  report(): string {
    const seen = this.seen.map(({ pid, argv }) => `${pid} ${argv.join(' ').trim()}`).join('\n');
    return `there were\n${seen}\nand on its screen: ${this.screen().slice(-1_000)}`;
  }

  /** Its processes that live, as they are now; the terminal's own are left out. */
  #read(): Seen[] {
    const namespace = link(`/proc/${this.#process.pid}/ns/pid_for_children`);
    if (namespace === '' || namespace === link('/proc/self/ns/pid')) return [];
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && link(`/proc/${entry}/ns/pid`) === namespace)
      .map((pid) => ({
        pid: Number(pid),
        ppid: Number(/^PPid:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1]),
        argv: text(`/proc/${pid}/cmdline`).split('\0').slice(0, -1),
        exe: link(`/proc/${pid}/exe`),
      }))
      .filter(({ argv }) => argv.length > 0 && !isTerminals(argv));
  }

  /**
   * Those that run a program of this folder, by their executable or by the script of their interpreter. A script that started
   * another of them is a part of that one. @param isHelper of the folder's programs, which are not the agent.
   */
  workers(folder: string, isHelper: (process: Seen) => boolean): number[] {
    const inFolder = (path: string | undefined) => path?.startsWith(`${folder}/`) === true;
    const runs = ({ argv, exe }: Seen) =>
      inFolder(exe) || inFolder(argv.slice(1).find((word) => !word.startsWith('-')));
    // One that has overwritten its arguments shows no script any more.
    const isRenamed = ({ pid, argv, exe }: Seen) =>
      argv.slice(1).every((word) => word === '') &&
      this.seen.some((before) => before.pid === pid && before.exe === exe && runs(before));
    const own = this.processes.filter((process) => (runs(process) || isRenamed(process)) && !isHelper(process));
    const parents = new Set(own.map(({ ppid }) => ppid));
    return own
      .filter(({ pid, exe }) => !parents.has(pid) || inFolder(exe))
      .map(({ pid }) => pid)
      .toSorted();
  }

  /** The processes above one, as they were seen last. */
  above(pid: number): number[] {
    const parent = this.now(pid)?.ppid;
    return parent === undefined || !this.seen.some((process) => process.pid === parent)
      ? []
      : [parent, ...this.above(parent)];
  }

  /** What a process runs now, or ran last. */
  now(pid: number): Seen | undefined {
    return this.seen.findLast((process) => process.pid === pid);
  }

  /** What a process ran, one program after another. */
  what(pid: number): string[] {
    return this.seen.filter((process) => process.pid === pid).map(({ argv }) => argv.join(' ').trim());
  }

  #look(): void {
    this.processes = this.#read();
    for (const process of this.processes) {
      const key = JSON.stringify(process);
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.seen.push(process);
    }
  }

  #onOutput(text: string): void {
    this.#output += text;
    for (const [question, answer] of ANSWERS) if (text.includes(question)) this.#process.child.stdin?.write(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looks);
    await this.#process[Symbol.asyncDispose]();
  }
}

/** What starts the agent: `script`, and the shell that it runs a command line with. */
function isTerminals([command = '', first]: readonly string[]): boolean {
  return command === 'script' || (/^(\/bin\/)?(ba)?sh$/.test(command) && first === '-c');
}

/** What is gone meanwhile is as if it were not there. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
