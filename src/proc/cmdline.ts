/** Command lines in the format of `/proc/ID/cmdline`: each argument ends with a NUL. */
import type { ProcHandle } from './handle.ts';

const PAGE = 4_096;

/** The current arguments of a process, each with a NUL at its end. @throws TautError */
export function readCmdline(process: ProcHandle): string {
  const start = process.read('cmdline', PAGE);
  return (start.length < PAGE ? start : process.read('cmdline', 65_536)).toString('utf8');
}

export function argvOf(cmdline: string): string[] {
  let end = cmdline.length;
  while (cmdline.charCodeAt(end - 1) === 0) end--;
  return cmdline === '' ? [] : cmdline.slice(0, end).split('\0');
}

/** Joins words in the format of `/proc/ID/cmdline`. */
export function cmdlineOf(words: readonly string[]): string {
  return words.map((word) => `${word}\0`).join('');
}
