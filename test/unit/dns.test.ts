import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText, answersOf, questionsOf, tcpMessages } from '../../src/discovery/network/dnsMessage.ts';
import { ProcessNotes } from '../../src/discovery/processNotes.ts';

const label = fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom(...'abcXYZ019-_') });
const names = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));

const encode = (name: string) =>
  Buffer.concat([
    ...name.split('.').map((l) => Buffer.concat([Buffer.from([l.length]), Buffer.from(l)])),
    Buffer.from([0]),
  ]);

function message(asked: readonly string[], flags = 0x0100): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(asked.length, 4);
  return Buffer.concat([head, ...asked.flatMap((name) => [encode(name), Buffer.from([0, 1, 0, 1])])]);
}

test('finds every question of a message, in lower case', () => {
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 8 }), (asked) => {
      expect(questionsOf(message(asked))).toEqual(asked.map((name) => name.toLowerCase()));
    }),
  );
});

test('an answer asks for nothing', () => {
  expect(questionsOf(message(['a.example'], 0x8180))).toEqual([]);
});

test('a name may point to one that stands before it, and a loop of pointers ends', () => {
  const first = message(['api.model.example']);
  const second = Buffer.concat([first, Buffer.from([0xc0, 12 + 4, 0, 1, 0, 1])]);
  second.writeUInt16BE(2, 4);
  expect(questionsOf(second)).toEqual(['api.model.example', 'model.example']);
  const loop = Buffer.concat([message([]), Buffer.from([0xc0, 12, 0, 1, 0, 1])]);
  loop.writeUInt16BE(1, 4);
  expect(questionsOf(loop)).toEqual([]);
});

test('of a message that is cut short the whole questions stand', () => {
  const whole = message(['a.example', 'b.example']);
  for (let length = 0; length < whole.length; length++)
    expect(['a.example', 'b.example'].slice(0, questionsOf(whole.subarray(0, length)).length)).toEqual(
      questionsOf(whole.subarray(0, length)),
    );
});

test('no bytes make it fail', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      (bytes) => void [...tcpMessages(Buffer.from(bytes)), Buffer.from(bytes)].map(questionsOf),
    ),
  );
});

test('over TCP several messages may come in one segment', () => {
  const [a, b] = [message(['a.example']), message(['b.example'])];
  const length = (m: Buffer) => Buffer.from([m.length >> 8, m.length & 255]);
  const segment = Buffer.concat([length(a), a, length(b), b]);
  expect([...tcpMessages(segment)].flatMap(questionsOf)).toEqual(['a.example', 'b.example']);
});

test('what a process has asked for is not what another with its id has, and is bounded', () => {
  const asked = new ProcessNotes<string>();
  const note = (pid: number, start: number, name: string) => asked.note(pid, start, name, name);
  expect(note(1, 100, 'a.example')).toBe(true);
  expect(note(1, 100, 'a.example')).toBe(false);
  expect(asked.of(1, 100)).toEqual(['a.example']);
  expect(asked.of(1, 200)).toEqual([]);
  for (let i = 0; i < 1_000; i++) note(1, 200, `${i}.example`);
  expect(asked.of(1, 200)).toHaveLength(64);
  expect(asked.of(1, 100)).toEqual([]);
});

test('an answer gives the addresses of the name that was asked for, through its aliases', () => {
  const answer = (type: number, data: number[], ttl: number) =>
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, ttl >> 8, ttl & 255, 0, data.length, ...data]);
  const head = message(['API.model.example'], 0x8180);
  head.writeUInt16BE(3, 6);
  const v6 = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7];
  const whole = Buffer.concat([head, answer(5, [1, 120, 0], 300), answer(1, [192, 0, 2, 7], 300), answer(28, v6, 60)]);
  expect(answersOf(whole)).toEqual([
    { name: 'api.model.example', address: '192.0.2.7', ttlSeconds: 300 },
    { name: 'api.model.example', address: '2001:db8::7', ttlSeconds: 60 },
  ]);
  expect(answersOf(message(['a.example']))).toEqual([]);
  for (let length = 0; length < whole.length; length++) answersOf(whole.subarray(0, length));
});

test('an IPv4 address in IPv6 clothes is the IPv4 address', () => {
  expect(addressText(Buffer.from('00000000000000000000ffffc0000207', 'hex'))).toBe('192.0.2.7');
});
