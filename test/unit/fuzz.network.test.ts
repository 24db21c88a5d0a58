/**
 * Bytes that anybody may have written: arbitrary ones, and recorded real ones with a few changed. Short here; FUZZ_RUNS asks for
 * more (`npm run test:fuzz`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cgroupRootOf } from '../../src/discovery/network/cgroupRoot.ts';
import { serverNameOf } from '../../src/discovery/network/clientHello.ts';
import { contactRecord } from '../../src/discovery/network/contactRecord.ts';
import { answersOf, questionsOf, tcpMessages } from '../../src/discovery/network/dnsMessage.ts';
import { HelloPieces } from '../../src/discovery/network/helloPieces.ts';
import { addon, failed } from '../../src/native.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 3_000);
const CORPUS = join(import.meta.dirname, 'corpus');

const recorded = (prefix: string) =>
  readdirSync(CORPUS)
    .filter((file) => file.startsWith(prefix))
    .map((file) => Buffer.from(readFileSync(join(CORPUS, file), 'latin1').trim(), 'hex'));

/** Changes to bytes: one set, some taken out, some put in, the end cut off. */
const edit = fc.record({
  kind: fc.constantFrom('set', 'remove', 'insert', 'cut'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(Uint8Array.of(0), Uint8Array.of(255, 255)),
  ),
});

function edited(seed: Buffer, edits: readonly { kind: string; at: number; bytes: Uint8Array }[]): Buffer {
  return edits.reduce((bytes, { kind, at, bytes: put }) => {
    const where = Math.floor(at * bytes.length);
    const after = kind === 'cut' ? bytes.length : where + (kind === 'insert' ? 0 : put.length);
    const middle = kind === 'set' || kind === 'insert' ? put : new Uint8Array();
    return Buffer.concat([bytes.subarray(0, where), middle, bytes.subarray(after)]);
  }, seed);
}

/** Bytes that were real once, and bytes that never were. */
const mutated = (seeds: readonly Buffer[]) =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 6 })).map(([s, e]) => edited(s, e)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)) },
  );

/** What a parser makes of bytes, which may not depend on what lies around them in memory. */
function parsed<T>(parse: (bytes: Buffer) => T, bytes: Buffer): T {
  const result = parse(bytes);
  for (const around of [0x00, 0x16, 0xff]) {
    const room = Buffer.alloc(bytes.length + 128, around);
    bytes.copy(room, 64);
    expect(parse(room.subarray(64, 64 + bytes.length))).toEqual(result);
  }
  return result;
}

const isName = (name: string) => name.length <= 255;

test('no DNS message makes a parser fail, read beyond it, or give more than a message may hold', () => {
  fc.assert(
    fc.property(mutated(recorded('dns-')), (bytes) => {
      const questions = parsed(questionsOf, bytes);
      expect(questions.length).toBeLessThanOrEqual(32);
      expect(questions.every(isName)).toBe(true);
      const answers = parsed(answersOf, bytes);
      expect(answers.length).toBeLessThanOrEqual(256);
      expect(answers.every(({ name, address }) => isName(name) && /^[\da-f.:]+$/.test(address))).toBe(true);
      parsed((segment) => [...tcpMessages(segment)].flatMap(questionsOf), bytes);
    }),
    { numRuns },
  );
}, 3_600_000);

test('no ClientHello makes a parser fail, read beyond it, or give what is no name', () => {
  fc.assert(
    fc.property(mutated(recorded('hello-')), fc.integer({ min: 1, max: 2_000 }), (bytes, cut) => {
      const found = parsed(serverNameOf, bytes);
      if (found !== undefined && found !== 'incomplete') expect(found.name).toMatch(/^[a-z0-9._-]{1,255}$/);
      const pieces = new HelloPieces();
      const first = pieces.add(1n, 0, bytes.subarray(0, cut), 0);
      const second = pieces.add(1n, cut, bytes.subarray(cut), 0);
      if (found !== 'incomplete' && cut < bytes.length) expect(first ?? second).toEqual(found);
    }),
    { numRuns },
  );
}, 3_600_000);

test('no record of the kernel makes the decoder fail or read beyond it', () => {
  const record = Buffer.alloc(64 + 40, 1);
  record.writeUInt32LE(40, 32);
  record.writeUInt32LE(16, 44);
  fc.assert(
    fc.property(mutated([record]), (bytes) => {
      const decoded = parsed(contactRecord, bytes);
      expect(decoded?.payload.length ?? 0).toBeLessThanOrEqual(Math.max(0, bytes.length - 64));
    }),
    { numRuns },
  );
}, 3_600_000);

test('no datagram of sock_diag makes the parser fail or read beyond it', () => {
  const datagrams = addon().dumpSockets('/proc/self/ns/net', 17, 0xffff_ffff, 0);
  if (failed(datagrams)) throw new Error(`sock_diag: ${datagrams}`);
  const sockets = addon().dumpSockets('/proc/self/ns/net', 6, 0xffff_ffff, 0);
  fc.assert(
    fc.property(mutated([...datagrams, ...(failed(sockets) ? [] : sockets)]), (bytes) => {
      const found = parsed((datagram) => addon().parseSockets(datagram), bytes);
      if (!failed(found)) for (const { port, inode } of found) expect([port >> 16, inode >= 0]).toEqual([0, true]);
    }),
    { numRuns },
  );
}, 3_600_000);

test('no mountinfo makes the parser fail, and the path that it gives is the one that was mounted', () => {
  const real = readFileSync('/proc/self/mountinfo');
  const beside = Buffer.from('41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw,relatime shared:9 - cgroup2 cgroup2 rw\n');
  fc.assert(
    fc.property(mutated([real, beside, Buffer.concat([real, beside])]), (bytes) => {
      cgroupRootOf(bytes.toString('latin1'));
    }),
    { numRuns },
  );
  // As the kernel writes it: seq_path escapes these four.
  const escaped = (path: string) =>
    path.replace(/[ \t\n\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(cgroupRootOf(`41 31 0:38 / /${escaped(name)} rw - cgroup2 cgroup2 rw\n`)).toBe(`/${name}`);
    }),
    { numRuns },
  );
  expect(cgroupRootOf(beside.toString())).toBe('/sys/fs/cgroup/uni fied');
  const part = '41 31 0:38 /inner /a rw - cgroup2 c rw';
  expect([cgroupRootOf(part), cgroupRootOf(`${part}\n${beside}`)]).toEqual(['/a', '/sys/fs/cgroup/uni fied']);
  expect(cgroupRootOf('41 31 0:38 / /a rw - cgroup c rw')).toBeUndefined();
}, 3_600_000);
