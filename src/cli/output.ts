/**
 * The one place that writes to standard output and standard error. What is written is printable; a reader that goes away
 * is no error; all is written before the process ends (`drained`). Nothing here throws, whatever becomes of the streams.
 */
import { isatty } from 'node:tty';
import { jsonText, printable, printableLines } from '../util/printable.ts';
import { EXIT } from './exit.ts';
import { Outlet } from './outlet.ts';

export interface Closed {
  readonly stream: 'standard output' | 'standard error';
  /** Of the write that told of it; `EPIPE` where nothing was being written. */
  readonly code: string;
}

const closed: Closed[] = [];
const listeners: ((closed: Closed) => void)[] = [];
let isStreaming = false;

const CHECK_MS = 1_000;

/**
 * Calls back when nobody reads any more what is written to a standard stream: within a second, also where nothing is
 * being written; at once where that is so already. A stream that was never written to does not count.
 */
export function onClosed(listener: (closed: Closed) => void): void {
  if (listeners.length === 0)
    setInterval(() => {
      output.check();
      errors.check();
    }, CHECK_MS).unref();
  listeners.push(listener);
  for (const which of closed) listener(which);
}

function close(which: Closed): void {
  closed.push(which);
  for (const listener of listeners) listener(which);
}

const output = new Outlet(1, () => process.stdout, {
  onClosed: (code) => close({ stream: 'standard output', code }),
  onFailed(error) {
    printError(`taut: standard output: ${error.message}`);
    process.exitCode ||= EXIT.failed;
  },
  onFull: () => printError('taut: warn: standard output is read too slowly: from here on lines are left out'),
  onLost(lines) {
    printError(`taut: warn: ${lines} lines are missing on standard output`);
    process.exitCode ||= EXIT.failed;
  },
});

const errors = new Outlet(2, () => process.stderr, {
  onClosed: (code) => close({ stream: 'standard error', code }),
  // There is nowhere to say it.
  onFailed: () => {},
  onFull: () => {},
  onLost: (lines) => printError(`taut: warn: ${lines} lines are missing here`),
});

/** Whether standard error is a terminal, on which others may draw as well. */
export function isTerminal(): boolean {
  return isatty(2);
}

/** One line of a result. */
export function printLine(text: string): void {
  output.write(`${printable(text)}\n`, false);
}

/** A result of several lines, whose newlines are taut's own. */
export function printText(text: string): void {
  output.write(`${printableLines(text).join('\n')}\n`, false);
}

/** The one document of `--json`. */
export function printJson(document: unknown): void {
  output.write(`${jsonText(document, 2)}\n`, false);
}

/** A document of a stream, on a line. Where the reader is too slow, it is left out: that is counted, and said. */
export function printEvent(document: unknown): void {
  isStreaming = true;
  output.write(`${jsonText(document)}\n`, true);
}

/** One line on standard error. */
export function printError(text: string): void {
  errors.write(`${printable(text)}\n`, true);
}

/**
 * Resolves when all that was printed is written. A result waits for its reader as long as that takes; a stream and
 * standard error, two seconds for one that takes nothing.
 */
export async function drained(): Promise<void> {
  const { bytes, lines } = await output.drained(isStreaming);
  if (isStreaming && bytes + lines > 0) {
    printError(`taut: standard output is not complete: ${bytes} bytes were not read, ${lines} lines were left out`);
    process.exitCode ||= EXIT.failed;
  }
  await errors.drained(true);
}
