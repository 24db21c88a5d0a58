/** The traces to which later ones are linked, also by the next taut. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PastTraces } from '../../src/agents/pastTraces.ts';

const TRACE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
const BOT = { pid: 42, startTicks: 4711 };
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'taut-traces-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('the next taut knows the traces of processes that run, and no other process with their ids', () => {
  const path = join(dir, 'traces.jsonl');
  using first = new PastTraces(path);
  first.keep(BOT, TRACE);
  first.keep({ pid: 43, startTicks: 1 }, TRACE);
  first.forget({ pid: 43, startTicks: 1 });
  first[Symbol.dispose]();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  using next = new PastTraces(path);
  expect(next.of(BOT)).toEqual({ ...TRACE, isRemote: true });
  expect([next.of({ ...BOT, startTicks: 4712 }), next.of({ pid: 43, startTicks: 1 })]).toEqual([undefined, undefined]);
});

test('what is damaged is left out, and the rest is used', () => {
  const path = join(dir, 'traces.jsonl');
  {
    using kept = new PastTraces(path);
    kept.keep(BOT, TRACE);
  }
  appendFileSync(path, '["1 2","no trace","no span",1]\n[7]\nnull\n{"half":');
  using next = new PastTraces(path);
  expect(next.of(BOT)).toMatchObject(TRACE);
});

test('a file that can not be written is said once, and links go on within this taut', () => {
  const said: string[] = [];
  writeFileSync(join(dir, 'file'), '');
  using kept = new PastTraces(join(dir, 'file/traces.jsonl'), (problem) => said.push(problem));
  kept.keep(BOT, TRACE);
  expect(kept.of(BOT)).toEqual(TRACE);
  kept[Symbol.dispose]();
  expect(said).toEqual([expect.stringMatching(/can't be kept in .*traces\.jsonl.*ENOTDIR/)]);
});

test('one without a file writes nothing', () => {
  {
    using kept = new PastTraces();
    kept.keep(BOT, TRACE);
  }
  expect([existsSync(dir), readdirSync(dir)]).toEqual([true, []]);
});
