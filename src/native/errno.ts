/** The one error class that the addon's `-errno` becomes, and the one place where it does. */

declare const brand: unique symbol;

/**
 * The `-errno` of a call that failed. It is a number when it runs, but none to the compiler: a result that may be one has to
 * go through `check` or `failed` before its value can be used.
 */
export interface Errno {
  readonly [brand]: 'errno';
}

/** What a call returns that has nothing to say but whether it failed. */
export type Outcome = 0 | Errno;

/** A system call that failed. `code` is the errno's name (`EPERM`), `hint` what to do about it, if we know. */
export class TautError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly hint: string | undefined;

  constructor(errno: number | Errno, syscall: string, hint?: string) {
    const number = errno as number;
    // Loaded for an error only: it takes as long as a tenth of Node's start, for which a command of `taut run` waits.
    const errors = process.getBuiltinModule('node:util').getSystemErrorMap();
    const [code, text] = errors.get(number) ?? [`E${-number}`, 'unknown error'];
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

/** Throws the `-errno` of a call as a TautError; hands on everything else. */
export function check<T>(result: T | Errno, syscall: string, hint?: string): T {
  if (failed(result)) throw new TautError(result, syscall, hint);
  return result;
}
