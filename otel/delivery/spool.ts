/**
 * A directory with requests that wait for a backend. Each taut has a directory of its own in it, and each request is a
 * file there, as it was to be sent. A file appears whole, by a rename, so a killed taut leaves none that is cut off, and
 * its name has a checksum, so a damaged disk is seen; it goes when the backend has answered. A taut takes over what those
 * left that have ended. A file a request is also what OpenTelemetry's persistent storage for .NET keeps: nothing is ever
 * rewritten.
 */
import { lstat, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isRunning } from '../../src/proc/identity.ts';
import { makeFolder } from '../../src/util/folder.ts';
import { SIGNALS, type SignalName } from '../environment.ts';
import { type Body, FORMATS, type Format } from './request.ts';

/** The layout of directory and files. Another version is left alone. */
const VERSION = 2;
/** `v2-PID-STARTTICKS`, and a number where it was taken over. */
const DIRECTORY = /^v(\d+)-(\d+)-(\d+)(?:-\d+)?$/;
/** `traces-NUMBER-ITEMS-CHECKSUM.pb`. */
const FILE = /^([a-z]+)-(\d+)-(\d+)-([\da-f]{8})\.([a-z]+)$/;

/** Bytes. The largest that taut writes has a few. */
const MOST_OF_A_REQUEST = 64 << 20;

/** A request in the spool. */
export interface Kept {
  readonly signal: SignalName;
  readonly items: number;
  /** Bytes. */
  readonly size: number;
  readonly path: string;
  /** Undefined when the file is gone. @throws Error of the file system, or when the file is not as it was written. */
  read(): Promise<Body | undefined>;
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
  async write(signal: SignalName, items: number, { format, bytes }: Body): Promise<Kept> {
    if (!this.#hasDirectory) makeFolder(this.#own);
    this.#hasDirectory = true;
    const checksum = checksumOf(bytes);
    const path = join(this.#own, `${signal}-${++this.#number}-${items}-${checksum}.${format}`);
    const part = `${path}.part`;
    try {
      await using file = await open(part, 'wx', 0o600);
      await file.writeFile(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#hasDirectory = false;
      await rm(part, { force: true }).catch(() => {});
      throw error;
    }
    await rename(part, path);
    return keptFile({ path, signal, items, size: bytes.length }, format, checksum);
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
    // What is gone already, another taut has taken.
    const age = (name: string) =>
      stat(join(dir, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
    const aged = await Promise.all(others.map(async (name) => ({ name, at: await age(name) })));
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

  /** The rename decides which taut has it. What can't be read is said, and keeps no other from being sent. */
  async #takeOne(path: string): Promise<readonly Kept[]> {
    const mine = `${this.#own}-${this.#taken.length + 1}`;
    try {
      await rename(path, mine);
    } catch {
      return []; // another taut was faster
    }
    this.#taken.push(mine);
    try {
      return await filesIn(mine, this.#options.say);
    } catch (error) {
      this.#options.say(`what waits in ${mine} can't be read: ${(error as Error).message}`);
      return [];
    }
  }
}

/** The requests in a directory, oldest first. What its taut was writing when it was killed is removed. */
async function filesIn(dir: string, say: (text: string) => void): Promise<readonly Kept[]> {
  const files: { kept: Kept; number: number }[] = [];
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    const [, signal, number, items, checksum = '', format] = FILE.exec(name) ?? [];
    const [known, how] = [SIGNALS.find((one) => one === signal), FORMATS.find((one) => one === format)];
    try {
      if (name.endsWith('.part')) await rm(path);
      if (!known || !how) continue;
      const kept = keptFile({ path, signal: known, items: Number(items), size: await sizeOf(path) }, how, checksum);
      files.push({ kept, number: Number(number) });
    } catch (error) {
      say(`${path} is left alone: ${(error as Error).message.replaceAll(path, 'it')}`);
    }
  }
  return files.toSorted((a, b) => a.number - b.number).map(({ kept }) => kept);
}

/** @throws Error for what is no request: to read a pipe would never end, and a huge file would fill the memory. */
async function sizeOf(path: string): Promise<number> {
  const stat = await lstat(path);
  if (!stat.isFile()) throw new Error('it is not a file');
  if (stat.size > MOST_OF_A_REQUEST) throw new Error(`it is larger than ${MOST_OF_A_REQUEST >> 20} MiB`);
  return stat.size;
}

function keptFile(of: Pick<Kept, 'path' | 'signal' | 'items' | 'size'>, format: Format, checksum: string): Kept {
  return {
    ...of,
    read: async () => {
      const bytes = await readFile(of.path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (bytes && checksumOf(bytes) !== checksum) throw new Error('its checksum is not that of its name');
      return bytes && { format, bytes };
    },
    remove: () => rm(of.path, { force: true }).catch(() => {}),
  };
}

function checksumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
