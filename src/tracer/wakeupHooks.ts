import { check, type NativeBpfObject } from '../native.ts';

/** Detach the programs when nothing was measured for this long: short-lived agents must not attach them each time. */
const IDLE_MS = 5_000;

/** Attaches the wakeup programs only while something is measured: they cost time at every wakeup of the host. */
export class WakeupHooks implements Disposable {
  readonly #native: NativeBpfObject;
  readonly #programs: readonly string[];
  #isHooked = true;
  #idle: NodeJS.Timeout | undefined;

  /** @param programs programs that are attached now. */
  constructor(native: NativeBpfObject, programs: readonly string[]) {
    this.#native = native;
    this.#programs = programs;
    this.release();
  }

  get isHooked(): boolean {
    return this.#isHooked;
  }

  /** Attaches the programs: something is measured from now on. @throws TautError */
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

  /** Nothing is measured any more: detaches the programs after a delay. */
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
