/** Finds the position of a mistake in JSON. Pure. */
import type { Mistake } from '../config/mistakes.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** V8 gives no position for a text that is cut short, and none for a short text. */
const CUT_SHORT = /end of JSON|Unterminated/;

/** Undefined when the text is JSON. */
export function jsonMistake(text: string): Mistake | undefined {
  const error = parseError(text);
  if (error === undefined) return undefined;
  if (text.startsWith('\uFEFF'))
    return { offset: 0, message: 'the file begins with a byte order mark; write it as UTF-8 without one' };
  if (text.trim() === '') return { offset: 0, message: 'the file is empty; a flag file is {"flags": {…}}' };
  const message = error.replace(/ in JSON at position \d+.*$/s, '').replace(/, ".*" is not valid JSON$/s, '');
  return { offset: offsetOf(text, error), message: `this is no JSON: ${message}` };
}

function offsetOf(text: string, error: string): number {
  const position = / at position (\d+)/.exec(error)?.[1];
  if (position !== undefined) return Number(position);
  if (CUT_SHORT.test(error)) return text.trimEnd().length;
  for (let n = 1; n <= text.length; n++) {
    const before = parseError(text.slice(0, n));
    if (before !== undefined && !CUT_SHORT.test(before)) return n - 1;
  }
  return 0;
}

function parseError(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
