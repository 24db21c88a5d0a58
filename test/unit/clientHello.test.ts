import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverNameOf } from '../../src/discovery/network/clientHello.ts';
import { HelloPieces } from '../../src/discovery/network/helloPieces.ts';
import { clientHello, inRecords } from './clientHelloBytes.ts';

const NAME = { name: 'api.model.example', ech: false };
const label = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'abcxyz019-_') });
const hostName = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
/** Real ones, as recorded. */
const recorded = (name: string) =>
  Buffer.from(readFileSync(join(import.meta.dirname, `corpus/hello-${name}.hex`), 'latin1').trim(), 'hex');

test.each([
  ['openssl-3.0', 517],
  ['node-24', 1_612],
  ['go-1.26', 1_518],
])('the ClientHello of %s names its server, once it is whole', (name, length) => {
  const hello = recorded(name);
  expect(hello).toHaveLength(length);
  expect(serverNameOf(hello)).toEqual(NAME);
  for (let cut = 0; cut < length; cut++) expect(serverNameOf(hello.subarray(0, cut))).toBe('incomplete');
});

test('in whatever records it lies, and whatever follows it, its name is found', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(hostName, fc.boolean(), pieces, fc.uint8Array({ maxLength: 50 }), (name, ech, sizes, rest) => {
      const bytes = Buffer.concat([inRecords(clientHello({ name, ech, padding: 600 }), sizes), rest]);
      expect(serverNameOf(bytes)).toEqual({ name, ech });
    }),
  );
});

test('an outer name is marked as one', () => {
  expect(serverNameOf(inRecords(clientHello({ name: 'Outer.Example', ech: true }), [9_000]))).toEqual({
    name: 'outer.example',
    ech: true,
  });
});

test.each([
  ['no server name', clientHello({})],
  ['a name that is none', clientHello({ name: 'a b\n' })],
  ['another handshake message', Buffer.concat([Buffer.from([2]), clientHello({ name: 'a.example' }).subarray(1)])],
])('%s gives none', (_, hello) => {
  expect(serverNameOf(inRecords(hello, [9_000]))).toBeUndefined();
});

test('HTTP is no TLS from its first byte on', () => {
  expect(serverNameOf(Buffer.from('G'))).toBeUndefined();
});

test('in whatever pieces it comes, mixed with others, a name is told once, of its connection', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(fc.tuple(hostName, cuts), { minLength: 1, maxLength: 8 }), (connections) => {
      const pieces = new HelloPieces();
      const told: (string | undefined)[] = connections.map(() => undefined);
      const left = connections.map(([name, sizes]) => ({
        bytes: inRecords(clientHello({ name, padding: 900 }), [9_000]),
        sizes: [...sizes],
        at: 0,
      }));
      while (left.some(({ at, bytes }) => at < bytes.length))
        for (const [i, connection] of left.entries()) {
          const { at, bytes, sizes } = connection;
          if (at >= bytes.length) continue;
          const piece = bytes.subarray(at, at + (sizes.shift() ?? 1_024));
          const found = pieces.add(BigInt(i), at, piece, 0);
          if (found) expect(told[i]).toBeUndefined();
          told[i] ??= found?.name;
          connection.at += piece.length;
        }
      expect(told).toEqual(connections.map(([name]) => name));
      expect(pieces.size).toBe(0);
    }),
  );
});

test('what is never completed is bounded, and forgotten after a while', () => {
  const pieces = new HelloPieces();
  const half = recorded('node-24').subarray(0, 800);
  for (let i = 0; i < 1_000; i++) pieces.add(BigInt(i), 0, half, 0);
  expect(pieces.size).toBe(256);
  pieces.add(5_000n, 0, half, 60_000);
  expect(pieces.size).toBe(1);
});

test('after a piece that was lost nothing is guessed', () => {
  const pieces = new HelloPieces();
  const hello = recorded('node-24');
  pieces.add(1n, 0, hello.subarray(0, 500), 0);
  expect(pieces.add(1n, 1_000, hello.subarray(1_000), 0)).toBeUndefined();
  expect(pieces.size).toBe(0);
});
