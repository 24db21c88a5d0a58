import { expect, test } from 'vitest';
import { contactMatcher } from '../../src/config/contactPattern.ts';
import { AddressBook } from '../../src/discovery/network/addressBook.ts';

const contact = (address: string, port: number, ...names: string[]) => ({ address, port, names });

test.each([
  ['10.1.2.3', contact('10.1.2.3', 1), contact('10.1.2.4', 1)],
  ['10.0.0.0/8:443', contact('10.9.9.9', 443), contact('10.9.9.9', 80)],
  [':11434', contact('::1', 11_434), contact('::1', 11_435)],
  ['[2001:db8::]/32', contact('2001:db8:1::5', 9), contact('2001:db9::5', 9)],
  ['[2001:db8::1]:443', contact('2001:db8::1', 443), contact('2001:db8::1', 80)],
  ['2001:db8::1', contact('2001:db8::1', 80), contact('2001:db8::2', 80)],
  ['*.openai.com', contact('192.0.2.1', 443, 'api.openai.com'), contact('192.0.2.1', 443, 'openai.com.evil.example')],
  [
    'api.anthropic.com:443',
    contact('192.0.2.1', 443, 'x', 'api.anthropic.com'),
    contact('192.0.2.1', 80, 'api.anthropic.com'),
  ],
])('%s', (pattern, is, isNot) => {
  expect(contactMatcher(pattern)(is)).toBe(true);
  expect(contactMatcher(pattern)(isNot)).toBe(false);
});

test.each(['10.0.0.0/33', ':0', ':99999', 'host:http', '[::1', 'a b', '10.0.0.0/x', ''])('%j is refused', (pattern) => {
  expect(() => contactMatcher(pattern)).toThrow(RangeError);
});

test('a name stands for an address as long as the answer said', () => {
  const book = new AddressBook();
  book.note({ name: 'a.example', address: '192.0.2.1', ttlSeconds: 60 }, 0);
  book.note({ name: 'b.example', address: '192.0.2.1', ttlSeconds: 600 }, 0);
  expect(book.namesOf('192.0.2.1', 1_000)).toEqual(['a.example', 'b.example']);
  expect(book.namesOf('192.0.2.1', 100_000)).toEqual(['b.example']);
  expect(book.namesOf('192.0.2.1', 1_000_000)).toEqual([]);
});

test('an address book is bounded', () => {
  const book = new AddressBook();
  for (let i = 0; i < 20_000; i++) book.note({ name: 'x', address: `a${i}`, ttlSeconds: 60 }, 0);
  expect(book.namesOf('a0', 0)).toEqual([]);
  expect(book.namesOf('a19999', 0)).toEqual(['x']);
});
