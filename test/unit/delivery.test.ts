/** What becomes of requests that a backend does not take, without a backend: its answers are made up. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Answer } from '../../otel/delivery/answer.ts';
import { Delivery } from '../../otel/delivery/delivery.ts';
import { partialSuccess } from '../../otel/delivery/partialSuccess.ts';
import { Spool } from '../../otel/delivery/spool.ts';
import { until } from '../support/program.ts';

const LATER: Answer = { kind: 'later', why: 'connect ECONNREFUSED' };
const ACCEPTED: Answer = { kind: 'accepted' };
/** A process that has ended. */
const GONE = { pid: 4_194_304, startTicks: 1 };

class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), 'taut-spool-'));
  readonly said: string[] = [];
  /** What the backend has accepted. */
  readonly got: string[] = [];
  answer: (text: string) => Answer | Promise<Answer> = () => ACCEPTED;

  constructor() {
    onTestFinished(() => rmSync(this.dir, { recursive: true, force: true }));
  }

  spool(of: { pid: number; startTicks: number } = GONE): Spool {
    return new Spool({ dir: join(this.dir, 'spool'), ...of, say: (text) => this.said.push(text) });
  }

  delivery(spool: Spool | null = this.spool(), limit = 1_000): Delivery {
    return new Delivery({
      ...{
        signal: 'traces',
        where: 'traces to x',
        spool: spool ?? undefined,
        limit,
        say: (text) => this.said.push(text),
      },
      post: async ({ bytes }, abort) => {
        const text = Buffer.from(bytes).toString();
        const answer = await Promise.race([
          this.answer(text),
          new Promise<Answer>((resolve) => {
            if (abort.aborted) resolve(LATER);
            abort.addEventListener('abort', () => resolve(LATER));
          }),
        ]);
        if (answer.kind === 'accepted') this.got.push(text);
        return answer;
      },
    });
  }

  files(): string[] {
    const all = readdirSync(this.dir, { recursive: true, withFileTypes: true });
    return all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  }
}

const bodyOf = (text: string) => ({ format: 'json', bytes: Buffer.from(JSON.stringify(text)) }) as const;
const parcel = (text: string, items = 1) => ({ items, body: () => bodyOf(text) });
const texts = (...all: string[]) => all.map((text) => JSON.stringify(text));

test('what a backend does not take waits on disk, and arrives once, in order, when it works again', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  const delivery = bench.delivery();
  for (const text of ['a', 'b', 'c']) expect((await delivery.put(parcel(text), true)).kind).toBe('kept');
  expect(bench.files()).toHaveLength(3);
  for (const file of bench.files()) expect(statSync(file).mode & 0o777).toBe(0o600);
  bench.answer = () => ACCEPTED;
  await until('all have arrived', () => bench.got.length === 3);
  expect(bench.got).toEqual(texts('a', 'b', 'c'));
  await delivery.end();
  expect(bench.files()).toEqual([]);
  expect(bench.said.at(-1)).toMatch(/^traces to x: works again, after \d+ exports that failed$/);
});

test('what a taut has left is sent by the next one, before its own', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  const first = bench.delivery();
  for (const text of ['a', 'b']) await first.put(parcel(text), true);
  await first.end();
  expect(bench.files()).toHaveLength(2);
  bench.answer = () => ACCEPTED;
  const spool = bench.spool({ ...GONE, startTicks: 2 });
  const second = bench.delivery(spool);
  await second.put(parcel('c'), true);
  await second.end();
  await spool.end();
  expect(bench.got).toEqual(texts('a', 'b', 'c'));
  expect(readdirSync(bench.dir)).toEqual([]);
});

test('the directory of a taut that runs is left alone, and so is that of another version', async () => {
  const bench = new Bench();
  const startTicks = Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[19]);
  for (const name of [`v2-${process.pid}-${startTicks}`, 'v1-1-1', 'notes']) {
    mkdirSync(join(bench.dir, 'spool', name), { recursive: true });
    writeFileSync(join(bench.dir, 'spool', name, 'traces-1-1.jsonl'), '"x"\n');
  }
  const spool = bench.spool();
  // One for each signal, as taut has.
  for (const delivery of [bench.delivery(spool), bench.delivery(spool), bench.delivery(spool)]) await delivery.end();
  expect(bench.files()).toHaveLength(3);
  expect(bench.got).toEqual([]);
  expect(bench.said).toEqual([expect.stringMatching(/v1-1-1 is of another version of taut, and is left alone$/)]);
});

/** Fills the spool as a taut that has ended, and gives each file to `damage`. */
async function left(bench: Bench, items: Record<string, number>, damage: (path: string, text: string) => void) {
  const spool = bench.spool();
  for (const [text, n] of Object.entries(items)) {
    const { path } = await spool.write('traces', n, bodyOf(text));
    damage(path, text);
  }
}

test.each<[string, (path: string) => void]>([
  ['cut off', (path) => truncateSync(path, 2)],
  ['empty', (path) => truncateSync(path, 0)],
  ['filled with something else', (path) => writeFileSync(path, '"c"')],
])('what is %s is counted and said, and the others arrive', async (_, damage) => {
  const bench = new Bench();
  await left(bench, { a: 1, b: 7, c: 1 }, (path, text) => text === 'b' && damage(path));
  const [dir = ''] = readdirSync(join(bench.dir, 'spool'));
  writeFileSync(join(bench.dir, 'spool', dir, 'traces-11-1-00000000.json.part'), '"d');
  const delivery = bench.delivery(bench.spool({ ...GONE, startTicks: 2 }));
  await delivery.end();
  expect(bench.got).toEqual(texts('a', 'c'));
  expect(bench.said).toEqual([
    expect.stringMatching(/^traces to x: .*traces-2-7-[\da-f]{8}\.json is damaged \(.*\); 7 spans are lost$/),
  ]);
  expect(bench.files()).toEqual([]);
});

test('what is no directory keeps none of the others from being sent', async () => {
  const bench = new Bench();
  await left(bench, { a: 1 }, () => {});
  writeFileSync(join(bench.dir, 'spool', 'v2-4194304-0'), 'a file');
  const delivery = bench.delivery(bench.spool({ ...GONE, startTicks: 2 }));
  await delivery.end();
  expect(bench.got).toEqual(texts('a'));
  expect(bench.said).toEqual([expect.stringMatching(/^what waits in .* can't be read: ENOTDIR/)]);
});

test('what is no request is said and left alone, and the others arrive', async () => {
  const bench = new Bench();
  await left(bench, { a: 1, b: 1 }, () => {});
  const [dir = ''] = readdirSync(join(bench.dir, 'spool')).map((name) => join(bench.dir, 'spool', name));
  const named = (n: number) => join(dir, `traces-${n}-1-00000000.json`);
  symlinkSync('/nowhere', named(3));
  mkdirSync(named(4));
  execFileSync('mkfifo', [named(5)]);
  writeFileSync(named(6), '');
  truncateSync(named(6), 3 * 2 ** 30); // of holes
  mkdirSync(join(dir, 'traces-7-1-00000000.json.part'));
  const delivery = bench.delivery(bench.spool({ ...GONE, startTicks: 2 }));
  await delivery.end();
  expect(bench.got).toEqual(texts('a', 'b'));
  expect(bench.said.toSorted()).toEqual(
    [3, 4, 5, 6, 7].map((n) => expect.stringMatching(new RegExp(`traces-${n}-.* is left alone: `))),
  );
});

test('how much waits is known, on disk and in memory, also of what another taut has left', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  await left(bench, { abc: 5 }, () => {});
  const spooled = bench.delivery(bench.spool({ ...GONE, startTicks: 2 }));
  const inMemory = bench.delivery(null);
  for (const delivery of [spooled, inMemory]) await delivery.put(parcel('x', 2), true);
  expect(spooled.depth).toEqual({ items: 7, bytes: 8 });
  expect(inMemory.depth).toEqual({ items: 2, bytes: 3 });
  bench.answer = () => ACCEPTED;
  for (const delivery of [spooled, inMemory]) {
    await until('all have arrived', () => delivery.depth.items === 0);
    expect(delivery.depth.bytes).toBe(0);
    await delivery.end();
  }
});

test('a request is sent in the format in which it was kept', async () => {
  const bench = new Bench();
  const spool = bench.spool();
  await spool.write('logs', 1, { format: 'pb', bytes: Buffer.from([1, 2, 255]) });
  await spool.write('logs', 1, { format: 'json', bytes: Buffer.from('{}') });
  const found = await bench.spool({ ...GONE, startTicks: 2 }).left();
  expect(await Promise.all(found.map((kept) => kept.read()))).toEqual([
    { format: 'pb', bytes: Buffer.from([1, 2, 255]) },
    { format: 'json', bytes: Buffer.from('{}') },
  ]);
});

test('the oldest fall off the limit, and how many did is said: at once, and in the end', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  const delivery = bench.delivery(null, 40);
  const spooled = bench.delivery(bench.spool(), 40);
  for (const one of [delivery, spooled]) {
    for (let n = 0; n < 20; n++) await one.put(parcel(`item ${n}`, 3), true);
    await one.end();
  }
  const size = bench.files().reduce((sum, file) => sum + statSync(file).size, 0);
  expect(size).toBeGreaterThan(20);
  expect(size).toBeLessThanOrEqual(40);
  const lost = bench.said.filter((line) => line.includes('lost'));
  expect(lost[0]).toBe('traces to x: too much waits; 3 spans are lost');
  expect(lost[1]).toBe('traces to x; 60 spans are lost in all');
  expect(lost[2]).toBe('traces to x: --spool-limit is reached; 3 spans are lost');
  expect(lost[3]).toBe(`traces to x; ${3 * (20 - bench.files().length)} spans are lost in all`);
  expect(bench.files().some((file) => readFileSync(file, 'utf8') === '"item 19"')).toBe(true);
});

test('what a backend refuses is not sent again, and what it rejects of a request is counted', async () => {
  const bench = new Bench();
  bench.answer = (text) =>
    text === '"a"'
      ? { kind: 'refused', why: '400 Bad Request over quota' }
      : { kind: 'accepted', rejected: { items: 2, why: 'too old' } };
  const delivery = bench.delivery();
  await delivery.put(parcel('a', 5), true);
  await delivery.put(parcel('b', 5), true);
  await delivery.end();
  expect(bench.got).toEqual(texts('b'));
  expect(bench.said).toEqual([
    'traces to x: 400 Bad Request over quota; 5 spans are lost',
    'traces to x: works again, after 1 exports that failed',
    'traces to x: rejected: too old; 2 spans are lost',
  ]);
});

test('an export that is given up stays on disk for the next taut', async () => {
  const bench = new Bench();
  bench.answer = () => new Promise(() => {});
  const delivery = bench.delivery();
  await delivery.put(parcel('a'), true);
  const direct = delivery.put(parcel('b'), false);
  delivery.giveUp();
  expect((await direct).kind).toBe('kept');
  await delivery.end();
  expect(bench.files()).toHaveLength(2);
  expect(bench.said).toEqual(['traces to x: not answered in time']);
});

test('a request that can not be kept on disk waits in memory, which is said once', async () => {
  const bench = new Bench();
  writeFileSync(join(bench.dir, 'spool'), 'a file where the directory would be');
  bench.answer = () => LATER;
  const delivery = bench.delivery();
  for (const text of ['a', 'b']) expect((await delivery.put(parcel(text), true)).kind).toBe('kept');
  bench.answer = () => ACCEPTED;
  await until('both have arrived', () => bench.got.length === 2);
  await delivery.end();
  expect(bench.got).toEqual(texts('a', 'b'));
  expect(bench.said.filter((line) => line.includes('kept in memory only'))).toHaveLength(1);
});

test('a newer collection takes the place of one that waits, but not of one that is being sent', async () => {
  const bench = new Bench();
  bench.answer = () => LATER;
  const delivery = bench.delivery();
  await delivery.put(parcel('other'), true);
  const old = await delivery.put(parcel('old'), false);
  if (old.kind !== 'kept') throw new Error(old.kind);
  delivery.withdraw([old.waiting]);
  await delivery.put(parcel('new'), false);
  bench.answer = () => ACCEPTED;
  await until('what is left has arrived', () => bench.got.length === 2);
  await delivery.end();
  expect(bench.got).toEqual(texts('other', 'new'));
});

test.each([
  ['', '', { kind: 'accepted' }],
  ['{}', 'application/json', { kind: 'accepted' }],
  ['{"partialSuccess":null}', 'application/json', { kind: 'accepted' }],
  ['{"partialSuccess":{"rejectedSpans":"0","errorMessage":null}}', 'application/json', { kind: 'accepted' }],
  [
    '{"partialSuccess":{"rejectedDataPoints":"7","errorMessage":"over quota"}}',
    'application/json',
    { kind: 'accepted', rejected: { items: 7, why: 'over quota' } },
  ],
  ['\n\x0c\x08\x96\x01\x12\x07too old', '', { kind: 'accepted', rejected: { items: 150, why: 'too old' } }],
  ['<html>', '', { kind: 'accepted', rejected: { items: 0, why: 'its answer is no OTLP: <html>' } }],
])('the answer %j of type %j is read', (body, type, answer) => {
  expect(partialSuccess('metrics', Buffer.from(body, 'latin1'), type)).toEqual(answer);
});
