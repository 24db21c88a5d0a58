/** Whatever a stranger calls itself, a terminal shows it and does nothing else. FUZZ_RUNS: how often, for longer runs. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLog } from '../../src/util/log.ts';
import { jsonText, printable } from '../../src/util/printable.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1000);

/** Written out, so that the test does not ask the same table as the code: C0, DEL, C1, bidi, separators, surrogates, tags. */
const isHarmful = (code: number) =>
  code < 0x20 ||
  (code >= 0x7f && code <= 0x9f) ||
  code === 0xad ||
  code === 0x61c ||
  (code >= 0x200b && code <= 0x200f) ||
  (code >= 0x2028 && code <= 0x202e) ||
  (code >= 0x2060 && code <= 0x206f) ||
  (code >= 0xd800 && code <= 0xdfff) ||
  code === 0xfeff ||
  (code >= 0xfff9 && code <= 0xfffb) ||
  (code >= 0xe0000 && code <= 0xe007f);

const harmful = (text: string) => [...text].filter((c) => isHarmful(c.codePointAt(0) ?? 0));

/** Any UTF-16, half pairs too, thick with what must not get through. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(
        '\x1b[31m',
        '\x1b]0;title\x07',
        '\x9b2J',
        '\u202e',
        '\r',
        '\n',
        '\x7f',
        '\ud800',
        '\u{e0041}',
        '\0',
        '\\x1b',
      ),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

test('nothing that a terminal obeys is left, whatever the text, and once is enough', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 20, max: 400 }), (text, limit) => {
      const shown = printable(text, limit);
      expect(harmful(shown)).toEqual([]);
      expect(shown.length).toBeLessThanOrEqual(limit);
      expect(printable(shown, limit)).toBe(shown);
    }),
    { numRuns },
  );
});

test('what a person can read stays as it is', () => {
  for (const text of ['claude-code', 'агент 7', '日本語', 'naïve “quotes” \\ "back" %s', '🤖', '▁▂▃ 1 us'])
    expect(printable(text)).toBe(text);
});

test.each([
  ['\x1b[31mred\x1b]0;t\x07', '\\x1b[31mred\\x1b]0;t\\x07'],
  ['one\ntaut: two\r\t', 'one\\ntaut: two\\r\\t'],
  ['\x9b31m\x7f', '\\x9b31m\\x7f'],
  ['abc\u202ecba', 'abc\\u202ecba'],
  ['half \ud83d.', 'half \\ud83d.'],
  ['tag \u{e0041}', 'tag \\U000e0041'],
  [Buffer.from([0x61, 0xff, 0xc3, 0x28]).toString('utf8'), 'a\ufffd\ufffd('],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('a longer text is cut, and says so', () => {
  expect(printable('x'.repeat(500), 40)).toBe(`${'x'.repeat(34)} (cut)`);
  expect(printable('\0'.repeat(20), 40)).toMatch(/^(\\x00)+.* \(cut\)$/);
});

test('JSON says the same with every such character escaped', () => {
  fc.assert(
    fc.property(anyText, fc.constantFrom(undefined, 2), (text, indent) => {
      const json = jsonText({ [text.toWellFormed()]: [text, 5n] }, indent);
      expect(harmful(json.replaceAll('\n', ''))).toEqual([]);
      expect(JSON.parse(json)).toEqual({ [text.toWellFormed()]: [text.toWellFormed(), 5] });
      if (indent === undefined) expect(json).not.toContain('\n');
    }),
    { numRuns },
  );
});

test('a log message is one line, whatever it quotes', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const lines: string[] = [];
      createLog('info', (line) => lines.push(line)).info(`attached to ${text}`);
      expect(lines).toHaveLength(1);
      expect(harmful(lines.join())).toEqual([]);
    }),
    { numRuns },
  );
});

test('nothing but the one place writes to the standard streams, and of the library what says a warning by default', () => {
  const root = resolve(import.meta.dirname, '../..');
  const writers = ['src', 'otel']
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
    .filter((file) => /process\.std(out|err)|console\.|writeSync\([12]\b/.test(readFileSync(join(root, file), 'utf8')));
  expect(writers.toSorted()).toEqual(['src/cli/output.ts', 'src/library/start.ts']);
});
