/** What commands make of an answer that is not a daemon's: somebody else's server, half an answer, one without end. */
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Sandbox } from '../support/taut.ts';

/** Serves at the state directory's socket what a daemon would not. */
async function stranger(sandbox: Sandbox, answer: (socket: Socket) => void): Promise<AsyncDisposable> {
  mkdirSync(sandbox.stateDir, { mode: 0o700 });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(join(sandbox.stateDir, 'taut.sock'), resolve));
  return { [Symbol.asyncDispose]: async () => void server.close() };
}

const AGENT = {
  ...{ pid: 1, name: 'a\u001b[31m\u009b\u202e\nfake: b', rule: 'r\u0007', attachPath: 'x', target: 1 },
  gate: { value: 1, reason: 'because\u001b]0;t\u0007' },
  threads: { total: 1, original: 0, tuned: 1, drifted: 0, exempt: 0 },
};
const STATUS = {
  ...{ access: 'full', daemon: { pid: 1, since: '\u001b[2Jnow' }, tracer: null, agents: [AGENT] },
  ledger: { path: '/x\u001b[1m', entries: 1 },
};

async function say(sandbox: Sandbox, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  await using program = sandbox.taut(...args);
  const code = await program.ended;
  return { code, out: program.lines.join('\n'), err: program.errors.join('\n') };
}

const isRaw = (c: string) => (c < ' ' && c !== '\n') || (c >= '\x7f' && c <= '\x9f') || c === '\u202e';

test.each<[string, string, RegExp]>([
  ['nothing', '', /: nothing$/],
  ['a greeting', '220 mail.example ESMTP\r\n', /no JSON, or not all of it: 220 mail.example ESMTP\\r\\n$/],
  ['a page', 'HTTP/1.1 400 Bad Request\r\n\r\n<html>\x1b[31m', /no JSON, or not all of it: HTTP/],
  ['bytes', '\xff\x00\x1b]0;t\x07'.repeat(500), /no JSON/],
  ['half an answer', JSON.stringify({ ok: STATUS }).slice(0, 100), /no JSON, or not all of it: \{"ok":/],
  ['another document', '[1, 2]\n', /answers what is not taut's: \[1,2\]$/],
  ['a null', 'null\n', /answers what is not taut's: null$/],
  ['an empty success', '{"ok":{}}\n', /another version/],
  ['a success of nothing', '{"ok":null}\n', /another version/],
  ['agents that are none', JSON.stringify({ ok: { ...STATUS, agents: [{ pid: 'x' }], kept: 1 } }), /another version/],
  ['times that are none', JSON.stringify({ ok: { kept: { verdict: 1 }, near: [], gate: null } }), /another version/],
  [
    'a refusal that writes on the terminal',
    '{"error":"no\\u001b[31m\\u009b\\nfake: x"}\n',
    /the daemon refuses: no\\x1b/,
  ],
])('%s for an answer is an error that says so', async (_, answer, why) => {
  using sandbox = new Sandbox();
  await using _server = await stranger(sandbox, (socket) => socket.end(answer, 'latin1'));
  const commands = [['status'], ['status', '--json'], ['explain', String(process.pid)], ['explain', '--last', '5']];
  for (const { code, out, err } of await Promise.all(commands.map((args) => say(sandbox, ...args)))) {
    expect([code, out]).toEqual([1, '']);
    expect(err.split('\n')[0]).toMatch(why);
    expect([...err].filter(isRaw)).toEqual([]);
    expect(err).not.toMatch(/^fake|^\s+at /m);
    expect(err.length).toBeLessThan(2_000);
  }
});

test('an answer without end is given up at 64 MiB', async () => {
  using sandbox = new Sandbox();
  const piece = Buffer.alloc(1 << 20, 'x');
  let taken = 0;
  await using _server = await stranger(sandbox, (socket) => {
    const more = () => {
      taken += piece.length;
      if (!socket.destroyed) socket.write(piece, more);
    };
    more();
  });
  const { code, err } = await say(sandbox, 'status');
  expect([code, err]).toEqual([1, expect.stringMatching(/^taut: .*taut.sock: the answer is longer than 64 MiB$/)]);
  expect(taken).toBeLessThan(80 << 20);
});

test('who never answers is given up', async () => {
  using sandbox = new Sandbox();
  await using _server = await stranger(sandbox, () => {});
  const { code, err } = await say(sandbox, 'status');
  expect([code, err]).toEqual([1, expect.stringMatching(/^taut: .*taut.sock: the daemon does not answer$/)]);
});

test('what a daemon that may be believed says is printed, and obeyed by no terminal', async () => {
  using sandbox = new Sandbox();
  await using _server = await stranger(sandbox, (socket) => socket.end(`${JSON.stringify({ ok: STATUS })}\n`));
  const { code, out } = await say(sandbox, 'status');
  expect(code).toBe(0);
  expect(out).toContain('a\\x1b[31m\\x9b\\u202e\\nfake: b: timer slack 1 ns');
  expect([...out].filter(isRaw)).toEqual([]);
  const json = await say(sandbox, 'status', '--json');
  expect([...json.out].filter(isRaw)).toEqual([]);
  expect(JSON.parse(json.out)).toEqual({ ...STATUS, runs: [] });
});
