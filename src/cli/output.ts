/**
 * The one place that writes to standard output and standard error. All text is made printable; a reader that goes away
 * is no error; everything is written before the process ends (`drained`). Nothing here throws when a stream fails.
 */
import { jsonText, printable, printableLines } from '../util/printable.ts';
import { EXIT } from './exit.ts';
import { Outlet } from './outlet.ts';

export interface Closed {
  readonly stream: 'standard output' | 'standard error';
  /** Error code of the write that failed; `EPIPE` when no write was under way. */
  readonly code: string;
}

const closed: Closed[] = [];
const listeners: ((closed: Closed) => void)[] = [];
let isStreaming = false;

const CHECK_MS = 1_000;

/**
 * Calls back within a second after a standard stream has lost its reader, also when nothing is written; at once when
 * that has happened already. A stream that was never written to does not count.
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
  // There is no other stream to report it on.
  onFailed: () => {},
  onFull: () => {},
  onLost: (lines) => printError(`taut: warn: ${lines} lines are missing here`),
});

/** Whether standard error is a terminal, on which other processes may draw too. */
export function isTerminal(): boolean {
  return process.getBuiltinModule('node:tty').isatty(2); // loaded here: with it come sockets and streams
}

/** One line of a result. */
export function printLine(text: string): void {
  output.write(`${printable(text)}\n`, false);
}

/** A result of several lines: its newlines come from taut. */
export function printText(text: string): void {
  output.write(`${printableLines(text).join('\n')}\n`, false);
}

/** The single document of `--json`. */
export function printJson(document: unknown): void {
  output.write(`${jsonText(document, 2)}\n`, false);
}

/** One document of a stream, on one line. It is left out, counted and reported when the reader is too slow. */
export function printEvent(document: unknown): void {
  isStreaming = true;
  output.write(`${jsonText(document)}\n`, true);
}

/** One line on standard error. */
export function printError(text: string): void {
  errors.write(`${printable(text)}\n`, true);
}

/**
 * Resolves when everything that was printed is written. A result waits for its reader without limit; a stream and
 * standard error stop after two seconds in which the reader reads nothing.
 */
export async function drained(): Promise<void> {
  const { bytes, lines } = await output.drained(isStreaming);
  if (isStreaming && bytes + lines > 0) {
    printError(`taut: standard output is not complete: ${bytes} bytes were not read, ${lines} lines were left out`);
    process.exitCode ||= EXIT.failed;
  }
  await errors.drained(true);
}
