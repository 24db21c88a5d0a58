/**
 * Text that is not taut's own (names, titles, command lines, rule ids, what a socket answered) as it may reach a terminal,
 * a log line or a document. Pure.
 *
 * What is not printable is decided by Unicode's own tables, which Node carries: the general categories C (controls, format
 * characters such as the bidi overrides, lone surrogates, private use, unassigned) and the line and paragraph separators.
 * `util.stripVTControlCharacters` and the packages like it drop whole escape sequences, so that two different names look
 * the same, and leave bidi overrides, lone controls and newlines in.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const HALF_A_PAIR = /[\ud800-\udbff]$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Of a line. Names within one get less, so that what stands after them is still seen. */
const MOST = 16_384;
export const MOST_OF_A_NAME = 200;

/**
 * One line that a terminal shows as it is: what is not printable becomes `\n`, `\x1b`, `\u202e`, `\U000e0041`. Longer text
 * than `limit` is cut, and says so. What is printable already stays as it is, so doing it twice does no harm.
 */
export function printable(text: string, limit = MOST): string {
  const shown = escaped(text.length > limit ? text.slice(0, limit) : text);
  if (text.length <= limit && shown.length <= limit) return shown;
  const cut = ' (cut)';
  return shown.slice(0, limit - cut.length).replace(HALF_A_PAIR, '') + cut;
}

/** Several lines of taut's own text: its newlines stay. */
export function printableLines(text: string): string[] {
  return text.split('\n').map((line) => escaped(line));
}

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT[character] ?? numbered(character.codePointAt(0) ?? 0));
}

function numbered(code: number): string {
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/**
 * JSON of a document, in which everything that is not printable is escaped: `JSON.stringify` leaves DEL, C1 and the bidi
 * overrides as they are. Outside of strings JSON has no such characters, so what a reader gets is the same. Half a
 * surrogate pair, which not every reader takes, becomes U+FFFD. bigint: nanoseconds, far below 2^53, become numbers.
 */
export function jsonText(document: unknown, indent?: number): string {
  const text = JSON.stringify(document, plain, indent);
  return text.replace(UNPRINTABLE, (found) => (found === '\n' ? found : units(found)));
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** JSON has escapes of UTF-16 units alone. */
function units(character: string): string {
  return [...Array(character.length).keys()].map((i) => `\\u${hex(character.charCodeAt(i), 4)}`).join('');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
