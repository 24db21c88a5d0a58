/** Which file may import which: the floors of the house, and its one room for OpenTelemetry's SDK. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** Lowest first. A file imports its own room and those below; rooms side by side know nothing of each other. */
const LAYERS = [
  ['src/native/'],
  ['src/util/', 'src/native.ts', 'src/telemetry/'],
  ['src/proc/'],
  ['src/tracer/', 'src/actuator/'],
  ['src/config/'],
  ['src/gate/', 'src/discovery/'],
  ['src/agents/', 'otel/'],
  ['src/cli/'],
  ['src/library/'],
  ['src/index.ts'],
];
const ROOT = join(import.meta.dirname, '../..');

const files = globSync('{src,otel}/**/*.ts', { cwd: ROOT });
/** What each file imports, also types alone, and what it loads later. */
const imports = new Map(files.map((file) => [file, specifiers(readFileSync(join(ROOT, file), 'utf8'))]));
const arrows = files.map((file) => ({ file, to: inside(file, imports.get(file) ?? []) }));

function specifiers(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import) ?\(?'([^']+)'/g)].map(([, name = '']) => name);
}

function inside(file: string, names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith('.')).map((name) => join(dirname(file), name));
}

const roomOf = (file: string) => LAYERS.flat().find((room) => file.startsWith(room));
const floorOf = (file: string) => LAYERS.findIndex((rooms) => rooms.some((room) => file.startsWith(room)));

test('every file is in a room, and every import is of a file that is there', () => {
  expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  expect(arrows.flatMap(({ to }) => to).filter((file) => !imports.has(file))).toEqual([]);
});

test('a file imports its own room and lower floors', () => {
  const isAllowed = (from: string, to: string) => roomOf(from) === roomOf(to) || floorOf(to) < floorOf(from);
  const wrong = arrows.flatMap(({ file, to }) => to.filter((t) => !isAllowed(file, t)).map((t) => `${file} -> ${t}`));
  expect(wrong).toEqual([]);
});

test('no file imports itself by way of others', () => {
  // What imports nothing that is left, and what nothing that is left imports, is in no circle.
  let left = arrows;
  for (let before = left.length + 1; left.length < before; ) {
    before = left.length;
    const importers = new Set(left.map(({ file }) => file));
    const imported = new Set(left.flatMap(({ to }) => to));
    left = left.filter(({ file, to }) => imported.has(file) && to.some((t) => importers.has(t)));
  }
  expect(left.map(({ file }) => file)).toEqual([]);
});

test("OpenTelemetry's SDK is known in otel/ alone", () => {
  const isSdk = (name: string) => /^@opentelemetry\/(?!(api|semantic-conventions)$)/.test(name);
  expect(files.filter((file) => !file.startsWith('otel/') && imports.get(file)?.some(isSdk))).toEqual([]);
});
