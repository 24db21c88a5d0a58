/** What waits for a backend on a disk that is full, or in a spool that is damaged or of another version. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { spansOf, type TraceRequest, values } from '../support/otlp.ts';
import { Program, slacks, until } from '../support/program.ts';
import { Receiver } from '../support/receiver.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

/** Whether the spans of a process have arrived. */
function has(receiver: Receiver, pid: number): boolean {
  const requests = (receiver.received.get('/v1/traces') ?? []) as TraceRequest[];
  return spansOf(requests).some(({ attributes }) => values(attributes)['process.pid'] === pid);
}

const SOON = { OTEL_METRIC_EXPORT_INTERVAL: '1000', OTEL_BSP_SCHEDULE_DELAY: '100' };

test('on a full disk telemetry waits in memory, which is said once; tuning goes on, and all arrives', async () => {
  await using receiver = await Receiver.start();
  receiver.down = ['/v1/traces'];
  using sandbox = new Sandbox();
  const spool = join(sandbox.stateDir, 'spool');
  mkdirSync(spool, { recursive: true, mode: 0o700 });
  const full =
    'mount -t tmpfs -o size=16k,mode=700 none "$0" && (dd if=/dev/zero of="$0/full" bs=4k 2>/dev/null || true)';
  const words = ['--mount', 'sh', '-c', `${full}; exec "$@"`, spool, ...sandbox.watchCommand('--optimize-timer-slack')];
  await using agent = await sleeper(sandbox);
  await using taut = new Program('unshare', words, { ...process.env, ...receiver.env, ...SOON });
  await taut.line(/watching/);
  await taut.line(/traces to .*: what waits is kept in memory only: ENOSPC/);
  expect(slacks(agent.pid)).toEqual([1]);
  const waiting = () =>
    receiver
      .metric('taut.telemetry.waiting.count')
      .flatMap(({ sum }) => sum?.dataPoints ?? [])
      .filter(({ attributes }) => values(attributes)['taut.telemetry.signal'] === 'traces')
      .map(({ asDouble, asInt }) => asDouble ?? Number(asInt));
  await until('the metrics tell that spans wait', () => (waiting().at(-1) ?? 0) > 0);
  receiver.down = [];
  await until('the spans have arrived', () => has(receiver, agent.pid));
  await until('the metrics tell that none wait', () => waiting().at(-1) === 0);
  expect(await taut.stop()).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(taut.errors.filter((line) => /traces to .* in memory only/.test(line))).toHaveLength(1);
  expect(taut.errors.filter((line) => line.includes('lost'))).toEqual([]);
});

test('a spool that is damaged or of another version is said once, and the rest of it arrives', async () => {
  await using receiver = await Receiver.start();
  receiver.down = ['/v1/traces', '/v1/metrics'];
  using sandbox = new Sandbox({ ...receiver.env, ...SOON });
  await using agent = await sleeper(sandbox);
  await using first = await sandbox.watch();
  await first.line(/traces to .*503/);
  await first.stop();

  const spool = join(sandbox.stateDir, 'spool');
  const [older, ended] = [join(spool, 'v1-4194304-7'), join(spool, 'v2-4194304-7')];
  for (const dir of [older, ended]) mkdirSync(dir);
  writeFileSync(join(older, 'traces-1-3.jsonl'), '{"resourceSpans":[]}\n');
  writeFileSync(join(ended, 'traces-1-3-00000000.pb'), 'no request');
  receiver.down = [];
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await until('the spans of before have arrived', () => has(receiver, agent.pid));
  await taut.line(/v1-4194304-7 is of another version of taut, and is left alone/);
  await taut.line(/traces-1-3-00000000\.pb is damaged \(.*\); 3 spans are lost/);
  expect(slacks(agent.pid)).toEqual([1]);
  const dropped = () => receiver.metric('taut.telemetry.dropped').flatMap(({ sum }) => sum?.dataPoints ?? []);
  await until('the loss is counted', () => dropped().some(({ asDouble }) => asDouble === 3));
  expect(await taut.stop()).toBe(0);
  expect(taut.errors.filter((line) => /another version|damaged/.test(line))).toHaveLength(2);
  expect(existsSync(join(older, 'traces-1-3.jsonl'))).toBe(true);
  expect(existsSync(ended)).toBe(false);
});
