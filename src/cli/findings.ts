/** Code that the commands that check files share. */
import { printable } from '../util/printable.ts';
import { readOnce, whyUnread } from '../util/smallFile.ts';
import { CliError, EXIT } from './exit.ts';
import { printError } from './output.ts';

/** On one line, whatever is in it: messages about a place begin with it. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : printable(file);
}

/** @throws CliError */
export function readText(file: string): string {
  try {
    return readOnce(file === '-' ? 0 : file);
  } catch (error) {
    throw new CliError(printable(whyUnread(file === '-' ? nameOf(file) : file, error as Error)), EXIT.usage);
  }
}

/** Prints findings, each in the form `file:line:column: what`. */
export function sayFindings(mistakes: readonly string[], warnings: readonly string[]): void {
  for (const line of mistakes) printError(line);
  for (const line of warnings) printError(line.replace(/(:\d+:\d+: )/, '$1warning: '));
}

export function verdict({ length }: readonly string[]): string {
  return length === 0 ? 'good' : `no mistake, ${length} ${length === 1 ? 'warning' : 'warnings'}`;
}
