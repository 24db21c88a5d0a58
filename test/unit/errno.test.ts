import { expect, test } from 'vitest';
import { addon, check, failed, TautError } from '../../src/native.ts';

test('what the addon returns is no value to the compiler until it is checked', () => {
  // @ts-expect-error: it may be an Errno, which is no number.
  const fd: number = addon().openDirectory(-1, '/nonexistent');
  expect(failed(fd)).toBe(true);
  // @ts-expect-error: nor is it a string.
  const text: string = addon().readTextAt(-1, '/nonexistent', 16);
  expect(text).toBe(-2);
  const checked: string = check(addon().readTextAt(-1, '/proc/self/comm', 16), 'read /proc/self/comm');
  expect(checked).toMatch(/\n$/);
});

test('a failed call becomes an error that names the system call and the errno', () => {
  expect(() => check(addon().openDirectory(-1, '/nonexistent'), 'open /nonexistent')).toThrow(
    expect.objectContaining({ name: 'TautError', code: 'ENOENT', syscall: 'open /nonexistent' }),
  );
});

test('an errno that libuv has no name for has one, and a sentence, all the same', () => {
  expect(new TautError(-10, 'start the guard').message).toBe('start the guard: it ended before it was ready (ECHILD)');
  expect(new TautError(-116, 'read').message).toBe('read: another thread has this id by now (ESTALE)');
});
