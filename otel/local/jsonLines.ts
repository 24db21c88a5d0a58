/** A file of JSON lines with a maximum size. When full it becomes `.1`, `.1` becomes `.2`, the oldest is removed. */
import { appendFileSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const MAX_BYTES = 16 << 20;
const KEPT = 2;
/** As 'a', but through no link. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;
const NEWLINE = Buffer.from('\n');

export class JsonLines {
  readonly path: string;
  readonly #maxBytes: number;
  #hasFolder = false;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.#maxBytes = maxBytes;
  }

  /** Appends one line, after all earlier ones. @throws Error of the file system. */
  append(line: Uint8Array): Promise<void> {
    const turn = this.#last.then(() => this.#append(line));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Appends a first line, synchronously. @returns whether it did: else the file is full. @throws Error of the file system. */
  appendAtOnce(line: Uint8Array): boolean {
    makeFolder(dirname(this.path));
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    if (size + line.length + 1 > this.#maxBytes) return false;
    appendFileSync(this.path, Buffer.concat([line, NEWLINE]), { mode: 0o600, flag: APPEND as unknown as string });
    return true;
  }

  /** Resolves when all lines appended so far are in the file. */
  flush(): Promise<void> {
    return this.#last;
  }

  async #append(line: Uint8Array): Promise<void> {
    if (line.length >= this.#maxBytes) throw new Error(`${line.length} bytes are more than a file has room for`);
    if (!this.#hasFolder) await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    this.#hasFolder = true;
    // Read the size each time: other tauts may write to the file, and replace it.
    const size = await stat(this.path).then(
      (s) => s.size,
      () => 0,
    );
    if (size > 0 && size + line.length + 1 > this.#maxBytes) await this.#rotate();
    await appendFile(this.path, Buffer.concat([line, NEWLINE]), { mode: 0o600, flag: APPEND });
  }

  async #rotate(): Promise<void> {
    for (let n = KEPT; n >= 1; n--) {
      const from = n === 1 ? this.path : `${this.path}.${n - 1}`;
      await rename(from, `${this.path}.${n}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
  }
}

/** Node's own recursion never ends in a file system that has no room for folders, like /proc. @throws Error of the file system. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another taut was first
  }
}
