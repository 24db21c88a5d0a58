/** What crosses the border between C and TypeScript is laid out once, in `native/include/`: the addon says where it lies. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { addon } from '../../src/native.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(`${ROOT}/${path}`, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
const headers = ['native/include/taut.h', 'native/include/names.h'].map(read).join('\n');
const layout = addon().layout as unknown as Record<string, Record<string, number>>;
const camel = (name: string) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const constant = (name: string) => Number(new RegExp(`#define ${name} \\(?(-?\\d+)`).exec(headers)?.[1] ?? name);

const SIZES: Record<string, number> = { taut_u32: 4, taut_u64: 8, 'unsigned char': 1, 'unsigned short': 2 };

/** Where a C compiler puts the fields of a struct: each aligned to its own size, and the whole to the largest. */
function offsetsOf(body: string): Record<string, number> {
  const offsets: Record<string, number> = {};
  let end = 0;
  let widest = 1;
  for (const [, type = '', name = '', count = '1'] of body.matchAll(/^\s*(.+?) (\w+)(?:\[(\w+)\])?;/gm)) {
    const size = SIZES[type];
    if (size === undefined) throw new Error(`how large is ${type}?`);
    const at = Math.ceil(end / size) * size;
    offsets[camel(name)] = at;
    end = at + size * constant(count);
    widest = Math.max(widest, size);
  }
  return { ...offsets, bytes: Math.ceil(end / widest) * widest };
}

const structs = new Map(
  [...headers.matchAll(/^struct taut_(\w+) \{\n([\s\S]*?)^\};/gm)].map(([, n = '', b = '']) => [n, b]),
);
const enums = new Map([...headers.matchAll(/^enum taut_(\w+) \{([^}#(]*)\};/gm)].map(([, n = '', b = '']) => [n, b]));

/** These the addon reads and writes itself: TypeScript has their values as arguments and results of its calls. */
const ADDONS_OWN = ['agent_series', 'control', 'counters', 'exec', 'features', 'names_features', 'settings', 'slice'];

test('every struct is in the layout, with every field where the C compiler puts it, or is the addon’s own', () => {
  const exported = [...structs.keys()].filter((name) => !ADDONS_OWN.includes(name) && name !== 'histogram');
  expect(exported.toSorted()).toEqual(['contact', 'event']);
  for (const name of exported) expect(layout[name], name).toEqual(offsetsOf(structs.get(name) ?? ''));
  const { bytes = 0, zero = 0, sum = 0, min = 0, max = 0, buckets = 0 } = offsetsOf(structs.get('histogram') ?? '');
  const { histogramWords, zeroAt, sumAt, minAt, maxAt, bucketsAt } = addon().layout;
  expect([histogramWords, zeroAt, sumAt, minAt, maxAt, bucketsAt].map((words) => words * 8)).toEqual([
    bytes,
    zero,
    sum,
    min,
    max,
    buckets,
  ]);
});

test('every enum is in the layout, with every name', () => {
  const numbersOf = (name: string, prefix: string) =>
    Object.fromEntries(
      [...(enums.get(name) ?? '').matchAll(/TAUT_(\w+) = (\d+)/g)].map(([, constant = '', number]) => [
        camel(constant.replace(prefix, '')),
        Number(number),
      ]),
    );
  expect(layout['visit']).toEqual(numbersOf('visit', 'VISIT_'));
  expect(layout['wanted']).toEqual(numbersOf('contact_wanted', 'WANT_'));
  expect(layout['transport']).toEqual(numbersOf('transport', ''));
  expect([...enums.keys()].toSorted()).toEqual(['contact_wanted', 'transport', 'visit']);
  // Those that are made from a list of names: nothing but the list, in its order.
  const listed = (macro: string) =>
    [
      ...(new RegExp(`#define ${macro}\\(X\\)((?:.*\\\\\\n)*.*)`).exec(headers)?.[1] ?? '').matchAll(
        /X\((?:\w+, )?(\w+)\)/g,
      ),
    ].map(([, name]) => name);
  const { counters, events, contacts, helloBytes, scale } = addon().layout;
  expect(counters).toEqual(listed('TAUT_COUNTERS'));
  expect(events).toEqual(listed('TAUT_EVENTS'));
  expect(contacts.slice(1)).toEqual(listed('TAUT_CONTACTS'));
  expect(contacts[0]).toBeUndefined();
  expect([helloBytes, scale]).toEqual([constant('TAUT_HELLO_BYTES'), constant('TAUT_SCALE')]);
});

const byText = (a: object, b: object) => JSON.stringify(a).localeCompare(JSON.stringify(b));

test('every histogram of an agent is in the layout, with its quantity and what splits it, in the order of the header', () => {
  const rows = (macro: string) =>
    [
      ...(new RegExp(`#define ${macro}\\(X\\)((?:.*\\\\\\n)*.*)`).exec(headers)?.[1] ?? '').matchAll(/X\(([^)]+)\)/g),
    ].map(([, row = '']) => row.split(', '));
  const word = (text = '') => (text === 'any' ? undefined : text);
  const listed = (macro: string, slice: (quantity: string) => string | undefined) =>
    rows(macro).flatMap(([, quantity = '', split = '']) =>
      rows(split).map(([, source, slackClass, tuned]) => ({
        ...{ quantity, source: word(source), slackClass: word(slackClass), slice: slice(quantity) },
        tuned: word(tuned) && tuned === 'yes',
      })),
    );
  const bySlice = listed('TAUT_SLICE_QUANTITIES', () => 'tuned');
  const isBySlice = (quantity: string) => bySlice.some((one) => one.quantity === quantity);
  const written = listed('TAUT_QUANTITIES', (quantity) => (isBySlice(quantity) ? 'default' : undefined));
  // Those of other slices are the same once more, at the end: an agent of a taut that sets no slice goes without.
  const again = written.filter(({ quantity }) => isBySlice(quantity)).map((one) => ({ ...one, slice: 'tuned' }));
  expect(bySlice.toSorted(byText)).toEqual(again.toSorted(byText));
  expect(addon().layout.series).toEqual([...written, ...bySlice]);
  expect(written.length).toBeGreaterThan(20);
});

test('no offset into what the kernel wrote is typed in TypeScript', () => {
  const typed = globSync('{src,otel}/**/*.ts', { cwd: ROOT }).filter((path) => /\.read\w+LE\(\s*\d/.test(read(path)));
  // This one reads a file of SQLite's, whose format is SQLite's promise.
  expect(typed).toEqual(['src/actuator/ledgerLog.ts']);
});
