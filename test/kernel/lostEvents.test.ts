/** Events that found no room while taut could not run: counted, said, and made good by another look at everything. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Program, slacks, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';

/** The ring buffer has 1 MiB, an event takes 48 bytes of it with its header: 21,845 fit. */
const FIT = Math.floor((1 << 20) / 48);

test('agents that start while the ring buffer overflows are found by a rescan, and the loss is counted', async () => {
  using sandbox = new Sandbox();
  await using taut = await sandbox.watch('--optimize-timer-slack');
  taut.child.kill('SIGSTOP');
  // Each process renames itself, which is an event, as often as makes the buffer overflow.
  const rename = `
import ctypes
libc = ctypes.CDLL(None)
for i in range(${2 * FIT}): libc.prctl(15, b"storm%d" % (i % 2), 0, 0, 0)
`;
  await using storm = new Program('python3', ['-c', rename]);
  expect(await storm.ended, storm.errors.join('\n')).toBe(0);
  await using agent = sandbox.python('storm.py');
  await agent.line(/^ready/);
  taut.child.kill('SIGCONT');
  await until('the agent that nothing told of is tuned', () => slacks(agent.pid).every((ns) => ns === 1));
  const { agents } = await sandbox.json<StatusDocument>('status');
  expect(agents).toMatchObject([{ pid: agent.pid, name: 'fixture-agent' }]);
  await taut.stop();
  const said = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  expect(said).toContain('taut.events_lost');
  expect(slacks(agent.pid).every((ns) => ns === 50_000)).toBe(true);
});
