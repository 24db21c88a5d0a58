/** What a taut exports, as backends want it: one scope, where it runs, the agent's trace over restarts, its own health. */
import { existsSync, readFileSync } from 'node:fs';
import { arch, hostname, release } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scope } from '../../src/telemetry/scope.ts';
import { tell } from '../support/conversation.ts';
import { type Attribute, type Span, values } from '../support/otlp.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { spansOf } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';
import { TUNED } from '../support/waiting.ts';

interface Linked extends Span {
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}

interface Scoped {
  readonly resource: { readonly attributes: Attribute[] };
  readonly schemaUrl?: string;
  readonly [scopes: `scope${string}`]: readonly { readonly scope: object; readonly schemaUrl?: string }[];
}

/** The requests of a signal in the sink. */
function requests(sandbox: Sandbox, signal: 'traces' | 'metrics' | 'logs'): Scoped[] {
  const lines = readFileSync(join(sandbox.stateDir, `otlp/${signal}.jsonl`), 'utf8')
    .split('\n')
    .slice(0, -1);
  return lines.flatMap((line) => Object.values(JSON.parse(line) as Record<string, Scoped[]>).flat());
}

test('an agent over restarts, one of which is a kill: each trace is linked to the one before', async () => {
  using sandbox = new Sandbox({ OTEL_BSP_SCHEDULE_DELAY: '200' });
  await using _agent = await sleeper(sandbox);
  const roots = () => spansOf(sandbox.stateDir, 'attach') as Linked[];
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
    const number = roots().length + 1;
    await using taut = await sandbox.watch(TUNED);
    await until('its trace is exported', () => roots().length >= number);
    const path = join(sandbox.stateDir, 'past-traces.jsonl');
    const kept = () => (existsSync(path) ? readFileSync(path, 'utf8') : '');
    await until('its trace is kept', () => kept().includes(roots().at(-1)?.traceId ?? 'none'));
    taut.child.kill(signal);
    await taut.ended;
  }
  const all = roots();
  expect(all).toHaveLength(3);
  expect(all.map(({ links = [] }) => links.map(({ spanId }) => spanId))).toEqual([
    [],
    [all[0]?.spanId],
    [all[1]?.spanId],
  ]);
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(3);
});

test('every signal has one scope with version and schema, and a resource that says where it runs', async () => {
  using sandbox = new Sandbox({ OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=taut-x,host.name=other' });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch(TUNED);
  await tell(agent, 'sleep 20 500');
  await agent.stop();
  await taut.stop();
  const { name, version, schemaUrl } = scope();
  for (const [signal, scopes] of [
    ['traces', 'scopeSpans'],
    ['metrics', 'scopeMetrics'],
  ] as const) {
    const all = requests(sandbox, signal);
    const own = all
      .flatMap((request) => request[scopes] ?? [])
      .map((one) => JSON.stringify([one.scope, one.schemaUrl]));
    const taut = new Set(own.filter((text) => text.includes(`"name":"${name}"`)));
    expect(taut).toEqual(new Set([JSON.stringify([{ name, version }, schemaUrl])]));
    for (const { resource, schemaUrl: theirs } of all) {
      expect(values(resource.attributes)).toMatchObject({
        'service.name': 'taut',
        'service.version': version,
        'os.type': 'linux',
        'os.version': release(),
        'host.arch': arch() === 'x64' ? 'amd64' : arch(),
        'host.name': 'other',
        'k8s.pod.name': 'taut-x',
      });
      expect(theirs).toBe(schemaUrl);
    }
  }
  expect(hostname()).not.toBe('other');
});

test("taut's own warnings are log records, and what its exporters did is counted", async () => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: 'timers' });
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch(TUNED);
  const line = await taut.line(/measuring without timers/);
  await until('its spans and that are counted', () =>
    ['span', 'log'].every((item) => sandbox.lastSums(`otel.sdk.exporter.${item}.exported`).length > 0),
  );
  await taut.stop();
  await agent.stop();
  const logs = readFileSync(join(sandbox.stateDir, 'otlp/logs.jsonl'), 'utf8');
  const text = line.replace(/^taut: warn: /, '');
  expect(logs).toContain(JSON.stringify({ stringValue: text }));
  expect(sandbox.lastSums('otel.sdk.exporter.span.exported')).toMatchObject([
    { attributes: { 'otel.component.type': 'taut_file_span_exporter' } },
  ]);
  expect(sandbox.lastSums('process.cpu.time').map(({ value }) => value > 0)).toEqual([true, true]);
});
