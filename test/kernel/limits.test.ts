/** Limits within which Node can't start: it would end with a trace of its stack, or hang. taut says which limit it is. */
import { expect, test } from 'vitest';
import { outcome, Program } from '../support/program.ts';
import { LAUNCHER } from '../support/taut.ts';

/** Has nothing that runs. */
const USER = ['setpriv', '--reuid=4747', '--regid=4747', '--clear-groups'];

test.each<[string, readonly string[], RegExp]>([
  [
    'ulimit -v 900000',
    [],
    /^taut: the limit of memory that may be mapped is 921600000 bytes, .*: raise it \(ulimit -v/,
  ],
  ['ulimit -u 4', USER, /^taut: this user may have 4 processes and threads, and taut needs 6 .*: raise it \(ulimit -u/],
])('after %s every command says what is too little, and ends with 3', async (limit, as, said) => {
  for (const words of [['--version'], ['run', '--', 'true']]) {
    const script = ['bash', '--norc', '-c', `${limit}; exec "$0" "$@"`, LAUNCHER, ...words];
    await using program = new Program('timeout', ['60', ...as, ...script]);
    const { code, err } = await outcome(program);
    expect([code, err]).toEqual([3, expect.stringMatching(said)]);
  }
});

test('a limit of processes that is no limit of root keeps nobody', async () => {
  await using program = new Program('bash', ['--norc', '-c', 'ulimit -u 4; exec "$0" --version', LAUNCHER]);
  expect(await outcome(program)).toMatchObject({ code: 0, err: '' });
});
