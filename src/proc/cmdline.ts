/** Command lines as `/proc/ID/cmdline` has them: each argument ended by a NUL. */
import type { ProcHandle } from './handle.ts';

const PAGE = 4_096;

/** Its arguments as they are now, each ended by a NUL. @throws TautError */
export function readCmdline(process: ProcHandle): string {
  const start = process.read('cmdline', PAGE);
  return (start.length < PAGE ? start : process.read('cmdline', 65_536)).toString('utf8');
}

export function argvOf(cmdline: string): string[] {
  return cmdline === '' ? [] : cmdline.replace(/\0+$/, '').split('\0');
}

/** Words as `/proc/PID/cmdline` has them. */
export function cmdlineOf(words: readonly string[]): string {
  return words.map((word) => `${word}\0`).join('');
}
