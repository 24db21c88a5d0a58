/** Turns the addon's `-errno` into the one error class: only here. */

declare const brand: unique symbol;

/**
 * The `-errno` of a failed call. At run time it is a number, but not for the compiler: a result that may be an `Errno`
 * must go through `check` or `failed` before its value can be used.
 */
export interface Errno {
  readonly [brand]: 'errno';
}

/** The result of a call that returns no data: 0, or `-errno`. */
export type Outcome = 0 | Errno;

/** What libuv has no name for. */
const OTHERS: ReadonlyMap<number, readonly [string, string]> = new Map([
  [-10, ['ECHILD', 'it ended before it was ready']], // of the guard
  [-116, ['ESTALE', 'another thread has this id by now']],
]);

/** A failed system call. `code` is the errno's name (`EPERM`), `hint` says what to do about it, if known. */
export class TautError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly hint: string | undefined;

  constructor(errno: number | Errno, syscall: string, hint?: string) {
    const number = errno as number;
    // Loaded only for an error: it takes a tenth of Node's start time, and the command of `taut run` would wait for it.
    const errors = process.getBuiltinModule('node:util').getSystemErrorMap();
    const [code, text] = errors.get(number) ?? OTHERS.get(number) ?? [`E${-number}`, 'unknown error'];
    super(`${syscall}: ${text} (${code})${hint ? `; ${hint}` : ''}`);
    this.name = 'TautError';
    this.code = code;
    this.syscall = syscall;
    this.hint = hint;
  }
}

/** Whether a call failed. */
export function failed(result: unknown): result is Errno {
  return typeof result === 'number' && result < 0;
}

/** Returns the result of a call. @throws TautError when the result is an `-errno`. */
export function check<T>(result: T | Errno, syscall: string, hint?: string): T {
  if (failed(result)) throw new TautError(result, syscall, hint);
  return result;
}
