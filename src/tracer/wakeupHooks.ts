import { check, type NativeBpfObject } from '../native.ts';

/** Without anybody to measure for so long, nothing is: agents that come and go in turns shall not pay for hooking. */
const IDLE_MS = 5_000;

/** The programs that measure wakeups: on their tracepoints only while somebody is measured, as the whole host pays there. */
export class WakeupHooks implements Disposable {
  readonly #native: NativeBpfObject;
  readonly #programs: readonly string[];
  #isHooked = true;
  #idle: NodeJS.Timeout | undefined;

  /** @param programs that are on their tracepoints now. */
  constructor(native: NativeBpfObject, programs: readonly string[]) {
    this.#native = native;
    this.#programs = programs;
    this.release();
  }

  get isHooked(): boolean {
    return this.#isHooked;
  }

  /** Somebody is to be measured. @throws TautError */
  hold(): void {
    clearTimeout(this.#idle);
    if (this.#isHooked) return;
    try {
      for (const program of this.#programs) check(this.#native.attach(program), `attach ${program}`);
      this.#isHooked = true;
    } catch (error) {
      this.#unhook();
      throw error;
    }
  }

  /** Nobody is measured any more. */
  release(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#unhook(), IDLE_MS).unref();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
  }

  #unhook(): void {
    this.#isHooked = false;
    for (const program of this.#programs) this.#native.detach(program);
  }
}
