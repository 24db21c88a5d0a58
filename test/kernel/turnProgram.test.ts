/** taut-turn, which agents' hooks run: what of a hook's input leaves it, by the kernel's word, and that an agent sees nothing of it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../build/taut-turn');
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** The system calls by which a program can hand something on, as strace shows them; and what the agent would see. */
function traced(input: string | Buffer, parent = PARENT) {
  const calls = ['-qq', '-s', '4096', '-e', 'trace=execve,write,writev,sendto,sendmsg,connect,open,openat'];
  const env = { ...process.env, TRACEPARENT: parent };
  const { stdout, stderr, status } = spawnSync('strace', [...calls, '-e', 'signal=none', PROGRAM, 'begin'], {
    input,
    env,
  });
  const [, ...lines] = `${stderr}`.trimEnd().split('\n');
  return { lines: lines.filter((line) => !line.includes('exited with')), output: `${stdout}`, status };
}

const told = (session: string, turn: string, parent = PARENT) =>
  expect.stringContaining(`["taut-turn", "begin", "${session}", "${turn}", "${parent}"]`);

test.each([
  ['turn_id', { session_id: 's-1', turn_id: 't.1', prompt: 'a secret' }, 's-1', 't.1'],
  [
    'prompt_id',
    { prompt: '"turn_id":"no"', input: { session_id: 'nested' }, session_id: 's', prompt_id: 'p' },
    's',
    'p',
  ],
  ['no id', { hook_event_name: 'Stop' }, '-', '-'],
  ['what is no id', { session_id: 'what a person wrote', turn_id: 7 }, '-', '-'],
  ['an id too long', { session_id: 'x'.repeat(65), turn_id: 'x'.repeat(64) }, '-', 'x'.repeat(64)],
])('hands on the ids and nothing else, in an empty environment: %s', (_, hook, session, turn) => {
  const { lines, output, status } = traced(JSON.stringify(hook));
  expect(lines).toEqual([told(session, turn)]);
  expect(lines[0]).toContain('/* 0 vars */');
  expect([output, status]).toEqual(['', 0]);
});

test.each([
  ['nothing', ''],
  ['a list', '["session_id", "s"]'],
  ['no JSON', '}{'],
  ['more than a mebibyte', JSON.stringify({ session_id: 's', prompt: 'x'.repeat(2 << 20) })],
  ['more pieces than a hook has', JSON.stringify({ session_id: 's', list: Array(10_000).fill(0) })],
  ['bytes', Buffer.alloc(4_096, 0xff)],
])('says that a turn begins, without ids, and is silent: %s', (_, input) => {
  const { lines, output, status } = traced(input);
  expect([lines, output, status]).toEqual([[told('-', '-')], '', 0]);
});

test.each(['', 'x', PARENT.toUpperCase(), PARENT.replace(/-b7.*-/, `-${'0'.repeat(16)}-`), `${PARENT}-more`])(
  'does not hand on a TRACEPARENT that is none: %s',
  (parent) => expect(traced('{}', parent).lines).toEqual([told('-', '-', '-')]),
);

test('says nothing to who calls it wrongly without a terminal', () => {
  for (const argv of [[], ['middle']]) {
    const { stdout, stderr, status } = spawnSync(PROGRAM, argv);
    expect([`${stdout}${stderr}`, status]).toEqual(['', 0]);
  }
});
