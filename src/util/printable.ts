/**
 * Makes foreign text (names, titles, command lines, rule ids, answers of a socket) safe for a terminal, a log line or a
 * document. Pure.
 *
 * Unicode's tables in Node decide what is not printable: the general category C (controls, format characters such as
 * the bidi overrides, lone surrogates, private use, unassigned) and the line and paragraph separators.
 * `util.stripVTControlCharacters` and similar packages are no alternative: they drop whole escape sequences, so that
 * two different names look the same, and keep bidi overrides, lone controls and newlines.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const HALF_A_PAIR = /[\ud800-\udbff]$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Most characters of a line. A name inside a line gets fewer, so that the text after it stays visible. */
const MOST = 16_384;
export const MOST_OF_A_NAME = 200;

/**
 * One line that a terminal shows as it is: unprintable characters become `\n`, `\x1b`, `\u202e`, `\U000e0041`. Text
 * longer than `limit` is cut, and ends with "(cut)". Printable text stays as it is, so calling it twice is harmless.
 */
export function printable(text: string, limit = MOST): string {
  const shown = escaped(text.length > limit ? text.slice(0, limit) : text);
  if (text.length <= limit && shown.length <= limit) return shown;
  const cut = ' (cut)';
  return shown.slice(0, limit - cut.length).replace(HALF_A_PAIR, '') + cut;
}

/** Several lines of text: its newlines come from taut and stay. */
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
 * JSON of a document, with everything unprintable escaped: `JSON.stringify` leaves DEL, C1 and the bidi overrides as
 * they are. JSON has such characters only inside strings, so a reader gets the same document. Half a surrogate pair,
 * which some readers refuse, becomes U+FFFD. A bigint (nanoseconds, far below 2^53) becomes a number.
 */
export function jsonText(document: unknown, indent?: number): string {
  const text = JSON.stringify(document, plain, indent);
  return text.replace(UNPRINTABLE, (found) => (found === '\n' ? found : units(found)));
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** JSON can escape only UTF-16 units. */
function units(character: string): string {
  return [...Array(character.length).keys()].map((i) => `\\u${hex(character.charCodeAt(i), 4)}`).join('');
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
