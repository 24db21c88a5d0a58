/**
 * Limits what is logged for whatever happens to an agent: whoever starts thousands of them would fill the log, and hide
 * in it. Messages are of one kind when they differ only in numbers (process ids, counts).
 */
import type { Log } from './log.ts';

/** Messages of one kind that are logged within each span of time; the others are counted, and their number is logged. */
const MOST = 100;
const SPAN_MS = 10_000;
const MOST_KINDS = 256;
/** The levels that anybody's processes can cause. `debug` is asked for, and failures are limited where they happen. */
const LIMITED = ['info', 'warn'] as const;

interface Kind {
  readonly say: (message: string) => void;
  /** The first message of this span. */
  readonly like: string;
  said: number;
  unsaid: number;
}

/** Its disposal logs how many messages were left out until now. */
export interface LimitedLog extends Log, Disposable {}

/** @param later calls back after so many milliseconds, without keeping the process alive. */
export function limited(log: Log, later = unrefTimeout): LimitedLog {
  const kinds = new Map<string, Kind>();
  const flush = () => {
    const all = [...kinds.values()];
    kinds.clear();
    for (const { say, like, unsaid } of all) if (unsaid > 0) say(`… and ${unsaid} times more what is like: ${like}`);
  };
  const limit = (level: (typeof LIMITED)[number]) => (message: string) => {
    const say = log[level];
    const key = `${level} ${message.replace(/\d+/g, '#')}`;
    let kind = kinds.get(key);
    if (!kind) {
      if (kinds.size >= MOST_KINDS) flush();
      if (kinds.size === 0) later(flush, SPAN_MS);
      kind = { say, like: message, said: 0, unsaid: 0 };
      kinds.set(key, kind);
    }
    if (kind.said < MOST) {
      kind.said++;
      say(message);
    } else kind.unsaid++;
  };
  const levels = Object.fromEntries(LIMITED.map((level) => [level, limit(level)]));
  return { ...log, ...levels, [Symbol.dispose]: flush };
}

function unrefTimeout(call: () => void, ms: number): void {
  setTimeout(call, ms).unref();
}
