/**
 * A directory with requests that wait for a backend. Each taut has a directory of its own in it, and each request is a
 * file there, one line of OTLP in JSON: the format of the embedded sink. A file appears whole, by a rename, so a killed
 * taut leaves none that is cut off; it goes when the backend has answered. A taut takes over what those left that have
 * ended. A file a request is also what OpenTelemetry's persistent storage for .NET keeps: nothing is ever rewritten.
 */
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '../../src/proc/identity.ts';
import { SIGNALS, type SignalName } from '../environment.ts';

/** The layout of directory and files. Another version is left alone. */
const VERSION = 1;
/** `v1-PID-STARTTICKS`, and a number where it was taken over. */
const DIRECTORY = /^v(\d+)-(\d+)-(\d+)(?:-\d+)?$/;
/** `traces-NUMBER-ITEMS.jsonl`. */
const FILE = /^(traces|metrics|logs)-(\d+)-(\d+)\.jsonl$/;

/** A request in the spool. */
export interface Kept {
  readonly signal: SignalName;
  readonly items: number;
  readonly bytes: number;
  readonly path: string;
  /** Undefined when the file is gone. @throws Error of the file system. */
  read(): Promise<Uint8Array | undefined>;
  /** Never rejects. */
  remove(): Promise<void>;
}

export interface SpoolOptions {
  readonly dir: string;
  /** Of this taut. */
  readonly pid: number;
  readonly startTicks: number;
  readonly say: (text: string) => void;
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #own: string;
  readonly #taken: string[] = [];
  #left: Promise<readonly Kept[]> | undefined;
  #hasDirectory = false;
  #number = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#own = join(options.dir, `v${VERSION}-${options.pid}-${options.startTicks}`);
  }

  /** What tauts that have ended have left, oldest first. It is this taut's from now on. Never rejects. */
  left(): Promise<readonly Kept[]> {
    this.#left ??= this.#takeOver().catch((error: Error) => {
      this.#options.say(`what waits in ${this.#options.dir} can't be read: ${error.message}`);
      return [];
    });
    return this.#left;
  }

  /** @throws Error of the file system; then nothing of it is kept. */
  async write(signal: SignalName, items: number, line: Uint8Array): Promise<Kept> {
    if (!this.#hasDirectory) await mkdir(this.#own, { recursive: true, mode: 0o700 });
    this.#hasDirectory = true;
    const path = join(this.#own, `${signal}-${++this.#number}-${items}.jsonl`);
    const part = `${path}.part`;
    try {
      await using file = await open(part, 'wx', 0o600);
      await file.writeFile(Buffer.concat([line, Buffer.from('\n')]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#hasDirectory = false;
      await rm(part, { force: true }).catch(() => {});
      throw error;
    }
    await rename(part, path);
    return keptFile(path, signal, items, line.length + 1);
  }

  /** Removes the directories that are empty. Never rejects. */
  async end(): Promise<void> {
    for (const dir of [...this.#taken, this.#own, this.#options.dir]) await rmdir(dir).catch(() => {});
  }

  async #takeOver(): Promise<readonly Kept[]> {
    const { dir } = this.#options;
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const others = names.filter((name) => this.#isLeft(name));
    const aged = await Promise.all(others.map(async (name) => ({ name, at: (await stat(join(dir, name))).mtimeMs })));
    const all: Kept[] = [];
    for (const { name } of aged.toSorted((a, b) => a.at - b.at)) all.push(...(await this.#takeOne(join(dir, name))));
    return all;
  }

  /** Whether this is the directory of a taut that has ended. */
  #isLeft(name: string): boolean {
    const [, version, pid, startTicks] = DIRECTORY.exec(name) ?? [];
    if (version === undefined) return false;
    if (Number(version) === VERSION) return !isRunning(Number(pid), Number(startTicks));
    this.#options.say(`${join(this.#options.dir, name)} is of another version of taut, and is left alone`);
    return false;
  }

  /** The rename decides which taut has it. */
  async #takeOne(path: string): Promise<readonly Kept[]> {
    const mine = `${this.#own}-${this.#taken.length + 1}`;
    try {
      await rename(path, mine);
    } catch {
      return []; // another taut was faster
    }
    this.#taken.push(mine);
    const files: { kept: Kept; number: number }[] = [];
    for (const name of await readdir(mine)) {
      const [, signal, number, items] = FILE.exec(name) ?? [];
      const file = join(mine, name);
      const known = SIGNALS.find((one) => one === signal);
      if (known)
        files.push({ kept: keptFile(file, known, Number(items), (await stat(file)).size), number: Number(number) });
      else if (name.endsWith('.part')) await rm(file, { force: true }); // its taut was killed while it wrote
    }
    return files.toSorted((a, b) => a.number - b.number).map(({ kept }) => kept);
  }
}

function keptFile(path: string, signal: SignalName, items: number, bytes: number): Kept {
  return {
    ...{ path, signal, items, bytes },
    read: () =>
      readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      }),
    remove: () => rm(path, { force: true }).catch(() => {}),
  };
}
