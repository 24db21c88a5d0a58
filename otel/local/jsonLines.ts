/** A file of JSON lines with a maximum size. When full it becomes `.1`, `.1` becomes `.2`, the oldest is removed. */
import { appendFileSync, constants, statSync } from 'node:fs';
import { appendFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../src/util/folder.ts';

const MAX_BYTES = 16 << 20;
const KEPT = 2;
const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** As 'a', but through no link, and without waiting for the reader of a pipe: taut's end would wait for it, too. */
const APPEND = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
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
    if (!this.#hasFolder) makeFolder(dirname(this.path));
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
