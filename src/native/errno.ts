/** The one error class that the addon's `-errno` becomes, and the one place where it does. */
import { getSystemErrorMap } from 'node:util';

/** A system call that failed. `code` is the errno's name (`EPERM`), `hint` what to do about it, if we know. */
export class TautError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly hint: string | undefined;

  constructor(errno: number, syscall: string, hint?: string) {
    const [code, text] = getSystemErrorMap().get(errno) ?? [`E${-errno}`, 'unknown error'];
    super(`${syscall}: ${text} (${code})${hint ? `; ${hint}` : ''}`);
    this.name = 'TautError';
    this.code = code;
    this.syscall = syscall;
    this.hint = hint;
  }
}

/** Throws the `-errno` of a call as a TautError; hands on everything else. */
export function check<T>(result: T | number, syscall: string, hint?: string): T {
  if (typeof result === 'number' && result < 0) throw new TautError(result, syscall, hint);
  return result as T;
}
