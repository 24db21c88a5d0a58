/**
 * The twelve walks of ARCHITECTURE.md: each names the files that a thing passes, in order. Each file has what the walk says
 * that it does, and each step is a real one: one of the two files includes or imports the other, or the addon is between.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const [, section = ''] = /^## Twelve walks\n([\s\S]*?)^## /m.exec(read('ARCHITECTURE.md')) ?? [];
const STEP = /`([\w/.]+\.(?:ts|cc|c|h))`(?: \(((?:`#?[\w.]+`,?\s?)+)\))?/g;

interface Step {
  readonly file: string;
  /** What the file is said to have. */
  readonly names: readonly string[];
}

/** An arrow leads to the next step; words alone between two files begin another way. */
function waysOf(text: string): Step[][] {
  const ways: Step[][] = [];
  let end = 0;
  for (const { 0: all, 1: file = '', 2: names = '', index } of text.matchAll(STEP)) {
    if (!text.slice(end, index).includes('→')) ways.push([]);
    ways.at(-1)?.push({ file, names: [...names.matchAll(/`#?([\w.]+)`/g)].map(([, name = '']) => name) });
    end = index + all.length;
  }
  return ways;
}

const walks = [...section.matchAll(/^\d+\. \*\*(.+?)\*\*\s([\s\S]*?)(?=^\d+\. |$(?![\s\S]))/gm)].map(
  ([, title = '', text = '']) => ({ title, ways: waysOf(text) }),
);

function neighbours(file: string): string[] {
  const names = [...read(file).matchAll(/\b(?:from|import) ?\(?'(\.[^']+)'|^#include "(.+)"/gm)];
  return names.map(([, module, header]) =>
    module
      ? join(dirname(file), module)
      : `${header === 'taut.h' || header === 'names.h' ? 'native/include' : dirname(file)}/${header}`,
  );
}

const isAddon = (file: string) => file.startsWith('native/');
function isStep(from: string, to: string): boolean {
  if (from === to || neighbours(from).includes(to) || neighbours(to).includes(from)) return true;
  // From the kernel's programs to the addon a map leads, and from the addon to its types.
  return isAddon(from) !== isAddon(to)
    ? [from, to].includes('src/native.ts')
    : isAddon(from) && dirname(from) !== dirname(to);
}

test('there are twelve, each of at least four files', () => {
  expect(walks.map(({ ways }) => ways.flat().length).filter((n) => n >= 4)).toHaveLength(12);
});

test.each(walks)('$title', ({ ways }) => {
  const steps = ways.flat();
  expect(steps.filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
  const has = (file: string, name: string) => new RegExp(`\\b${name}\\b`).test(read(file));
  const absent = steps.flatMap(({ file, names }) =>
    names.filter((name) => !has(file, name)).map((n) => `${file}: ${n}`),
  );
  expect(absent.join('; ')).toBe('');
  const jumps = ways.flatMap((way) =>
    way.slice(1).flatMap(({ file }, i) => {
      const from = way[i]?.file ?? '';
      return isStep(from, file) ? [] : [`${from} -> ${file}`];
    }),
  );
  expect(jumps.join('; ')).toBe('');
});
