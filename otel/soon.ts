/**
 * Collects soon after agents have come or gone: one that lives shorter than the export interval is told of while it is
 * news, and the series of one that has ended end. All that comes and goes within a second is one collection.
 */
const SOON_MS = 1_000;
/** A collection of a thousand agents takes a while: such collections take at most one part in so many of a CPU. */
const LEAST_PAUSE = 50;

export interface SoonOptions {
  /** Collects and exports. @returns when that is done, or has failed. */
  readonly collect: () => Promise<void>;
  /** The CPU time of this process until now, milliseconds. */
  readonly cpuMs?: () => number;
}

export class Soon {
  readonly #options: SoonOptions;
  readonly #cpuMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = SOON_MS;
  /** A collection that was made before is not exported yet: the backend may be away, and each would take the place of another. */
  #isOnItsWay = false;
  #isOwed = false;
  #hasEnded = false;

  constructor(options: SoonOptions) {
    this.#options = options;
    this.#cpuMs = options.cpuMs ?? cpuOfProcess;
  }

  /** Something has changed. */
  ask(): void {
    if (this.#hasEnded || this.#timer) return;
    this.#isOwed = this.#isOnItsWay;
    if (this.#isOnItsWay) return;
    this.#timer = setTimeout(() => void this.#collect(), this.#pauseMs).unref();
  }

  /** A collection, of whoever wanted it, reads all that has changed until now. */
  collected(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOwed = false;
    this.#isOnItsWay = true;
  }

  /** The last collection has been exported. */
  exported(): void {
    this.#isOnItsWay = false;
    if (this.#isOwed) this.ask();
  }

  /** Nothing more is collected. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  async #collect(): Promise<void> {
    this.#timer = undefined;
    const from = this.#cpuMs();
    await this.#options.collect().catch(() => {}); // the exporter has said it
    this.#pauseMs = Math.max(SOON_MS, LEAST_PAUSE * (this.#cpuMs() - from));
  }
}

function cpuOfProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
