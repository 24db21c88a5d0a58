/** Everything that taut wrote is told: counted, so that what it tuned is what it put back and what is left, and in spans. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { tell } from '../support/conversation.ts';
import { type Attribute, values } from '../support/otlp.ts';
import { setSlack, slacks, threadIds, until } from '../support/program.ts';
import { Receiver } from '../support/receiver.ts';
import { sleeper } from '../support/sleeper.ts';
import { allSpans, attribute, spansOf } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';

interface Export {
  readonly resourceMetrics: {
    readonly resource: { readonly attributes: Attribute[] };
    readonly scopeMetrics: {
      readonly metrics: { readonly name: string; readonly sum?: { readonly dataPoints: Point[] } }[];
    }[];
  }[];
}

interface Point {
  readonly attributes: Attribute[];
  readonly asDouble?: number;
}

interface LogExport {
  readonly resourceLogs: {
    readonly scopeLogs: { readonly logRecords: { readonly eventName: string; readonly attributes: Attribute[] }[] }[];
  }[];
}

function lines<T>({ stateDir }: Sandbox, signal: string): T[] {
  const path = join(stateDir, `otlp/${signal}.jsonl`);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as T);
}

/** `tune tuned` and the like of the knob, over every taut that wrote into the state directory. */
function operations(sandbox: Sandbox): (operation: string, outcome?: string) => number {
  const last = new Map<string, { at: Record<string, unknown>; value: number }>();
  for (const { resource, scopeMetrics } of lines<Export>(sandbox, 'metrics').flatMap((one) => one.resourceMetrics))
    for (const { name, sum } of scopeMetrics.flatMap(({ metrics }) => metrics))
      for (const point of name === 'taut.operations' ? (sum?.dataPoints ?? []) : []) {
        const at = values(point.attributes);
        const key = JSON.stringify([values(resource.attributes)['service.instance.id'], at]);
        last.set(key, { at, value: point.asDouble ?? 0 });
      }
  const ofKnob = [...last.values()].filter(({ at }) => at['taut.knob'] === 'timer_slack_ns');
  return (operation, outcome) =>
    ofKnob
      .filter(({ at }) => at['taut.operation'] === operation)
      .filter(({ at }) => outcome === undefined || at['taut.outcome'] === outcome)
      .reduce((n, { value }) => n + value, 0);
}

async function isBalanced(sandbox: Sandbox, onRecord: number): Promise<void> {
  const n = operations(sandbox);
  const { ledger } = await sandbox.json<StatusDocument>('status');
  expect(ledger.entries).toBe(onRecord);
  const back = n('revert') + n('restore') - n('revert', 'failed') - n('restore', 'failed');
  expect(n('tune', 'tuned')).toBe(back + n('forget', 'vanished') + onRecord);
  expect(n('tune')).toBe(n('verify'));
}

function events(sandbox: Sandbox, name: string): Record<string, unknown>[] {
  return lines<LogExport>(sandbox, 'logs')
    .flatMap(({ resourceLogs }) => resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs)
    .flatMap(({ logRecords }) => logRecords)
    .filter(({ eventName }) => eventName === name)
    .map(({ attributes }) => values(attributes));
}

/** Until the counts of before have been exported. */
async function exported(sandbox: Sandbox): Promise<void> {
  const before = lines(sandbox, 'metrics').length;
  await until('two exports more', () => lines(sandbox, 'metrics').length >= before + 2);
}

/** Until that many threads are on record for it. */
async function tuned(sandbox: Sandbox, n: number): Promise<void> {
  await until(`${n} are on record`, async () => (await sandbox.json<StatusDocument>('status')).ledger.entries === n);
}

test('threads that come after the attach are counted and told of, few spans for many of them', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  await using taut = await sandbox.watch('--optimize-timer-slack');
  for (let n = 0; n < 40; n++) await tell(agent, 'thread');
  await tuned(sandbox, 42);
  await exported(sandbox);
  await isBalanced(sandbox, 42);
  expect(operations(sandbox)('tune', 'tuned')).toBe(42);
  setSlack(agent.pid, 4_000); // of all, so that all have drifted
  await taut.stop();
  await isBalanced(sandbox, 0);
  expect(operations(sandbox)('revert', 'drifted')).toBe(42);

  const [root] = spansOf(sandbox.stateDir, 'attach');
  const [first, ...later] = spansOf(sandbox.stateDir, 'tune').toSorted((a, b) =>
    Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)),
  );
  const of = (span: typeof root) => Number(span && attribute(span, 'taut.threads.tuned'));
  expect(of(first)).toBe(2);
  expect(later.map(of).reduce((a, b) => a + b, 0)).toBe(40);
  // Batches of five seconds each: there is no room for many in the time that this took.
  const took = Number(BigInt(later.at(-1)?.endTimeUnixNano ?? 0) - BigInt(root?.startTimeUnixNano ?? 0)) / 1e9;
  expect(later.length).toBeLessThanOrEqual(2 + took / 5);
  for (const span of later) {
    expect(span.parentSpanId).toBe(root?.spanId);
    expect(attribute(span, 'taut.ledger.operation')).toBe(first && attribute(first, 'taut.ledger.operation'));
    expect(attribute(span, 'taut.knob')).toBe('timer_slack_ns');
  }
});

test('threads that end, flags that flip, agents that die and children that inherit leave the counts balanced', async () => {
  using sandbox = new Sandbox();
  const flags = join(sandbox.dir, 'flags.json');
  const set = (variant: string) => {
    const flag = { state: 'ENABLED', variants: { on: true, fine: '10us', off: false }, defaultVariant: variant };
    writeFileSync(flags, JSON.stringify({ flags: { 'taut.optimize-timer-slack': flag } }));
  };
  set('on');
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  await using dying = sandbox.python('storm.py');
  await dying.line(/^ready/);
  await using taut = await sandbox.watch('--flags', flags, '--descendants', 'inherit');
  await tell(agent, 'child');
  await tell(agent, 'fork');
  await tell(dying, 'threads 50');
  for (const [variant, ns] of [
    ['off', 50_000],
    ['fine', 10_000],
    ['on', 1],
  ] as const) {
    set(variant);
    await until(`${variant} is in force`, () => [agent, dying].every(({ pid }) => slacks(pid).every((s) => s === ns)));
  }
  await dying.stop();
  await taut.line(new RegExp(`\\(${dying.pid}\\) has ended`));
  await tell(agent, 'fork');
  await exported(sandbox);
  const { ledger } = await sandbox.json<StatusDocument>('status');
  expect(ledger.entries).toBeGreaterThanOrEqual(3); // two threads and a child that inherited
  await isBalanced(sandbox, ledger.entries ?? Number.NaN);
  await taut.stop();
  await isBalanced(sandbox, 0);
  expect(operations(sandbox)('forget', 'vanished')).toBeGreaterThan(0);
});

for (const [how, recover, reason] of [
  ['taut restore', async (sandbox: Sandbox) => void (await sandbox.json('restore')), 'taut restore'],
  [
    'the next start',
    async (sandbox: Sandbox) => void (await (await sandbox.watch()).stop()),
    'an earlier taut ended without putting it back',
  ],
] as const)
  test(`what ${how} puts back after SIGKILL is in spans, counts and events`, async () => {
    using sandbox = new Sandbox({ OTEL_BSP_SCHEDULE_DELAY: '100' });
    await using agents = new AsyncDisposableStack();
    const [one, two, gone] = [await sleeper(sandbox), await sleeper(sandbox), await sleeper(sandbox)] as const;
    for (const agent of [one, two, gone]) agents.use(agent);
    await tell(one, 'thread');
    await tell(one, 'thread');
    await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
    await exported(sandbox);
    await taut.stop('SIGKILL');
    await gone.stop('SIGKILL');
    await tell(two, 'slack 12345'); // somebody else's
    await tell(two, 'thread'); // born with that
    await tell(one, 'thread'); // born tuned, with nobody there
    const before = allSpans(sandbox.stateDir).length;
    await recover(sandbox);
    expect(new Set(slacks(one.pid))).toEqual(new Set([50_000]));

    await isBalanced(sandbox, 0);
    const n = operations(sandbox);
    expect([n('restore', 'restored'), n('restore', 'drifted'), n('restore', 'vanished')]).toEqual([3, 1, 1]);
    expect(n('contain', 'ok')).toBe(1);
    const spans = spansOf(sandbox.stateDir, 'restore');
    expect(allSpans(sandbox.stateDir).length).toBeGreaterThanOrEqual(before + 3);
    const by = new Map(spans.map((span) => [Number(attribute(span, 'process.pid')), span]));
    expect(new Set(by.keys())).toEqual(new Set([one.pid, two.pid, gone.pid]));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
    const of = (pid: number) => values(by.get(pid)?.attributes ?? []);
    const common = {
      'taut.restore.reason': reason,
      'taut.agent.name': 'fixture-agent',
      'taut.rule.id': 'fixture',
      'taut.knob': 'timer_slack_ns',
    };
    expect(of(one.pid)).toMatchObject({ ...common, 'taut.threads.restored': 4 });
    expect(of(two.pid)).toMatchObject({ ...common, 'taut.threads.drifted': 1 });
    expect(of(gone.pid)).toMatchObject({ ...common, 'taut.threads.vanished': 1 });
    const attached = spansOf(sandbox.stateDir, 'attach').map((span) => attribute(span, 'process.creation.time'));
    for (const span of spans) expect(attached).toContain(attribute(span, 'process.creation.time'));
    expect(events(sandbox, 'taut.drift')).toEqual([
      expect.objectContaining({
        'process.pid': two.pid,
        'thread.id': threadIds(two.pid)[0],
        'taut.drift.expected': 1,
        'taut.drift.found': 12_345,
      }),
    ]);
  });

test('what the guard puts back after SIGKILL is told, too, by the same names', async () => {
  using sandbox = new Sandbox({ OTEL_BSP_SCHEDULE_DELAY: '100' });
  await using agent = await sleeper(sandbox);
  await tell(agent, 'thread');
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await tell(agent, 'thread');
  await tuned(sandbox, 3);
  await exported(sandbox);
  await taut.stop('SIGKILL');
  await until('it is told', () => spansOf(sandbox.stateDir, 'restore').length > 0);
  await until('it is counted', () => operations(sandbox)('restore') > 0);
  await isBalanced(sandbox, 0);
  const [span] = spansOf(sandbox.stateDir, 'restore');
  expect(values(span?.attributes ?? [])).toMatchObject({
    'process.pid': agent.pid,
    'taut.agent.name': 'fixture-agent',
    'taut.threads.restored': 3,
  });
});

test('a thread that can not be put back is an event, and the span says so', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
  await exported(sandbox);
  await taut.stop('SIGKILL');
  execFileSync('chrt', ['-f', '-p', '1', String(agent.pid)]);
  await using failed = sandbox.taut('restore');
  expect(await failed.ended).toBe(1);
  expect(events(sandbox, 'taut.restore_failed')).toEqual([
    expect.objectContaining({ 'process.pid': agent.pid, 'thread.id': agent.pid, 'taut.knob': 'timer_slack_ns' }),
  ]);
  expect(spansOf(sandbox.stateDir, 'restore').map(({ status }) => status?.code)).toEqual([2]);
  await isBalanced(sandbox, 1);
  execFileSync('chrt', ['-o', '-p', '0', String(agent.pid)]);
});

test('taut restore puts back first, and waits for no backend: neither one that never answers nor a setting that is wrong', async () => {
  for (const env of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://192.0.2.1:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_EXPORTER: 'otlp' },
  ]) {
    using sandbox = new Sandbox();
    await using agent = await sleeper(sandbox);
    await using taut = await sandbox.watch('--optimize-timer-slack', '--no-guard');
    await taut.stop('SIGKILL');
    await using restore = sandbox.tautWith(env, 'restore');
    await restore.line(/^1 put back/);
    expect(slacks(agent.pid)).toEqual([50_000]);
    expect(await restore.ended).toBe(0);
  }
});

test('beside a daemon, taut restore tells nothing that the daemon tells', async () => {
  await using receiver = await Receiver.start();
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  await using restore = sandbox.tautWith(receiver.env, 'restore');
  expect(await restore.ended).toBe(0);
  expect(slacks(agent.pid)).toEqual([50_000]);
  expect(receiver.received.size).toBe(0);
  await taut.stop();
  await isBalanced(sandbox, 0);
});
