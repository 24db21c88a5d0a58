/**
 * The last trace of each process that was an agent, to which its next one is linked: after its rule has changed, or by the
 * next taut. In a file, if there is one: it is written seconds after a change, so a killed taut loses the newest.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { isValidSpanId, isValidTraceId, type SpanContext } from '@opentelemetry/api';
import { creationTimeMs } from '../proc/clock.ts';
import { BoundedMap } from '../util/boundedMap.ts';
import type { AgentIdentity } from './identity.ts';

const MOST = 4_096;
const AFTER_MS = 2_000;

type Process = Pick<AgentIdentity, 'pid' | 'startTicks'>;

/** A line of the file. */
type Line = readonly [process: string, traceId: string, spanId: string, flags: number];

export class PastTraces implements Disposable {
  readonly #path: string | undefined;
  readonly #say: (problem: string) => void;
  readonly #known = new BoundedMap<string, SpanContext>(MOST);
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** @param say is told once that the file can't be written. */
  constructor(path?: string, say: (problem: string) => void = () => {}) {
    this.#path = path;
    this.#say = once(say);
    if (path !== undefined) for (const [key, context] of readLines(path)) this.#known.set(key, context);
  }

  /** Ids of the root span of the process's last trace. */
  of(process: Process): SpanContext | undefined {
    return this.#known.get(keyOf(process));
  }

  keep(process: Process, trace: SpanContext): void {
    this.#known.set(keyOf(process), trace);
    this.#changed();
  }

  /** The process has ended. */
  forget(process: Process): void {
    if (this.#known.delete(keyOf(process))) this.#changed();
  }

  #changed(): void {
    if (this.#path === undefined || this.#hasEnded) return;
    const path = this.#path;
    this.#timer ??= setTimeout(() => void this.#save(path), AFTER_MS).unref();
  }

  async #save(path: string): Promise<void> {
    this.#timer = undefined;
    try {
      await writeFile(`${path}.new`, this.#text(), { mode: 0o600 });
      if (!this.#hasEnded) await rename(`${path}.new`, path);
    } catch (error) {
      this.#failed(error);
    }
  }

  [Symbol.dispose](): void {
    const isChanged = this.#timer !== undefined;
    clearTimeout(this.#timer);
    this.#hasEnded = true;
    if (!isChanged || this.#path === undefined) return;
    try {
      writeFileSync(`${this.#path}.last`, this.#text(), { mode: 0o600 });
      renameSync(`${this.#path}.last`, this.#path);
    } catch (error) {
      this.#failed(error);
    }
  }

  #text(): string {
    const lines = [...this.#known].map(
      ([key, { traceId, spanId, traceFlags }]): Line => [key, traceId, spanId, traceFlags],
    );
    return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  }

  #failed(error: unknown): void {
    this.#say(
      `the traces of agents can't be kept in ${this.#path}, so later ones have no links: ${(error as Error).message}`,
    );
  }
}

/** The creation time tells it from a process with the same id, also of an earlier boot. */
function keyOf({ pid, startTicks }: Process): string {
  return `${pid} ${creationTimeMs(startTicks)}`;
}

/** What is damaged is left out: a link that is missing harms nobody. */
function readLines(path: string): [string, SpanContext][] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, MOST).flatMap(readLine);
  } catch {
    return [];
  }
}

function readLine(line: string): [string, SpanContext][] {
  try {
    const [key, traceId, spanId, traceFlags] = JSON.parse(line) as Line;
    const isRight = typeof key === 'string' && isValidTraceId(traceId) && isValidSpanId(spanId);
    return isRight ? [[key, { traceId, spanId, traceFlags: Number(traceFlags) & 1, isRemote: true }]] : [];
  } catch {
    return [];
  }
}

function once(say: (text: string) => void): (text: string) => void {
  let hasSaid = false;
  return (text) => {
    if (!hasSaid) say(text);
    hasSaid = true;
  };
}
