/** Events that the kernel could not tell: makes good what can be, and says the rest and who floods the kernel. */
import type { KernelEvent } from '../native.ts';
import type { LostKind, Tracer } from '../tracer/tracer.ts';
import { Floods } from '../util/floods.ts';
import type { Log } from '../util/log.ts';
import { limited, reportLost } from './reportLost.ts';

export type LosingTracer = Pick<Tracer, 'lost' | 'retell'>;

/** What was missed since the last look. `all`: it may be about any process. */
export interface Missed {
  readonly any: boolean;
  readonly all: boolean;
}

/** More renames than this that had no event of their own, between two looks, are a flood. */
const MANY = 1_000;

const KINDS = {
  exec: 'exec',
  rename: 'rename',
  moved: 'rename',
  renaming: 'rename',
  newThread: 'birth',
  newChild: 'birth',
  threadExit: 'end',
  processExit: 'end',
} as const satisfies Record<KernelEvent['kind'], LostKind>;

export class Losses {
  readonly #tracer: LosingTracer | undefined;
  readonly #say: (line: string) => void;
  readonly #told = new Floods<LostKind>();
  readonly #held = new Floods<'rename'>();
  #lost: ReadonlyMap<LostKind, number> = new Map();
  /** Whether the kernel may have more to tell again. */
  #isOwed = false;

  /** @param tracer undefined: nothing reports events, so all may be missed all the time. */
  constructor(tracer: LosingTracer | undefined, log: Log) {
    this.#tracer = tracer;
    this.#say = limited(log);
  }

  /** Notes who caused events. */
  note(events: readonly KernelEvent[]): void {
    for (const { kind, pid, user, held } of events) {
      this.#told.note(KINDS[kind], pid, user, 1 + held);
      if (held > 0) this.#held.note('rename', pid, user, held);
    }
  }

  /** Has the kernel tell again of what it had no room for: that comes as events do. */
  look(): Missed {
    if (!this.#tracer) return { any: true, all: true };
    const lost = this.#tracer.lost();
    const more = [...lost]
      .map(([kind, n]) => [kind, n - (this.#lost.get(kind) ?? 0)] as const)
      .filter(([, n]) => n > 0);
    this.#lost = lost;
    if (more.length > 0 || this.#isOwed) this.#isOwed = this.#tracer.retell() > 0;
    const told = this.#told.take();
    for (const [kind, n] of more) reportLost(this.#say, kind, n, told.get(kind));
    this.#sayRenames();
    return { any: more.length > 0, all: more.some(([kind]) => kind === 'unseen') };
  }

  #sayRenames(): void {
    const flood = this.#held.take().get('rename');
    if (!flood || flood.n < MANY) return;
    const { user, pid, n } = flood;
    this.#say(
      `user ${user} gave its processes ${n} names within seconds (process ${pid}, for one): taut looks at a few of them, and at the last`,
    );
  }
}
