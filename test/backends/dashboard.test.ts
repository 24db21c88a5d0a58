/** The dashboard, the rules and the ways between backends, over data of a real taut: taut, two collectors, Prometheus, Jaeger. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compiled } from '../support/compiled.ts';
import { tell } from '../support/conversation.ts';
import { dashboard, filledIn, links, queries, variableQueries, withLabels } from '../support/dashboard.ts';
import { outcome, Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { CONFIG } from './services.ts';
import { type Sample, type Stack, startStack } from './stack.ts';

const waits = compiled('waits');
/** Waits of each class: slack governs them, have slack of their own, have none. More than a second, so that two exports have them. */
const WORK = ['nanosleep 1500 700', 'poll 12 100000', 'timerfd 1500 700'];
const VARIANT = 'feature_flag.result.variant';

const isFound = (samples: readonly Sample[]) => samples.some(({ value }) => !Number.isNaN(value));

/** Works until Prometheus has seen its wakeups grow, found or tuned. */
async function works(agent: Program, stack: Stack, isTuned: boolean): Promise<void> {
  const own = `{"taut.timer.lateness", "taut.timer.slack_class"="reachable", "taut.tuned"="${isTuned}"}`;
  const grown = `histogram_count(increase(${own}[10m])) > 0`;
  do for (const words of WORK) await tell(agent, words);
  while (!isFound(await stack.query(grown)));
}

async function alerts(stack: Stack, name: string): Promise<string[]> {
  const reply = await fetch(`${stack.prometheus}/api/v1/alerts`);
  const { data } = (await reply.json()) as {
    data: { alerts: { state: string; labels: Record<string, string> }[] };
  };
  return data.alerts.filter(({ labels }) => labels['alertname'] === name).map(({ state }) => state);
}

test('every query of the dashboard finds what a real taut measured, and a spike leads to the trace and back', async () => {
  await using stack = await startStack();
  using sandbox = new Sandbox({ OTEL_EXPORTER_OTLP_ENDPOINT: stack.otlp });
  const flags = join(sandbox.dir, 'flags.json');
  const flag = (defaultVariant: string) => ({ state: 'ENABLED', variants: { on: true, off: false }, defaultVariant });
  const set = (variant: string) =>
    writeFileSync(
      flags,
      JSON.stringify({
        flags: { 'taut.optimize-timer-slack': flag(variant), 'taut.optimize-sched-slice': flag(variant) },
      }),
    );
  set('off');
  await using agent = new Program(waits, ['1', sandbox.mark]);
  await using taut = await sandbox.watch('--flags', flags);
  await works(agent, stack, false);
  set('on');
  await works(agent, stack, true);

  const hasVariants = isFound(await stack.query(`{"taut.timer.lateness", "${VARIANT}"!=""}`));
  for (const { title, expr } of queries(dashboard())) {
    if (expr.includes(`"${VARIANT}"!=""`) && !hasVariants) continue;
    await until(`"${title}" shows something`, async () => isFound(await stack.query(filledIn(expr))));
  }
  for (const { title, expr, value } of variableQueries(dashboard())) {
    const samples = await stack.query(filledIn(expr));
    const texts = samples.map(({ metric }) => `{${Object.entries(metric).map(([name, of]) => `${name}="${of}"`)}}`);
    expect(
      texts.filter((text) => value.exec(text)?.[1]),
      title,
    ).not.toEqual([]);
  }

  // From a spike to the trace: Jaeger's page asks its server with the words of its own address.
  const spike = queries(dashboard()).find(({ title }) => title.startsWith('Each process'))?.expr ?? '';
  const [{ metric } = { metric: {} as Record<string, string> }] = await stack.query(filledIn(spike));
  expect(Number(metric['process.pid'])).toBe(agent.pid);
  for (const link of links(dashboard())) {
    const address = filledIn(withLabels(link, metric), { jaeger: stack.jaeger }).replace('/search?', '/api/traces?');
    let spans: JaegerSpan[] = [];
    await until('Jaeger has the one trace', async () => {
      const { data } = (await (await fetch(address)).json()) as { data?: { spans: JaegerSpan[] }[] };
      spans = data?.[0]?.spans ?? [];
      return data?.length === 1;
    });
    expect(spans.map(({ operationName }) => operationName)).toContain('attach');
    // And back: what Jaeger's page makes of a span's attributes.
    const back = wayBack(spans.find(({ operationName }) => operationName === 'attach'));
    const same = await stack.query(filledIn(spike, back));
    expect(same.map((sample) => sample.metric)).toEqual([metric]);
  }

  const { data } = (await (await fetch(`${stack.prometheus}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string; type: string; health: string }[] }[] };
  };
  const rules = data.groups.flatMap((group) => group.rules);
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  for (const { name } of rules.filter(({ type }) => type === 'recording'))
    await until(`${name} is recorded`, async () => isFound(await stack.query(name)));

  expect(await alerts(stack, 'TautOff')).toEqual([]);
  expect((await outcome(sandbox.taut('off', '--reason', 'a test'))).code).toBe(0);
  await until('the alert fires', async () => (await alerts(stack, 'TautOff')).includes('firing'));
  expect((await outcome(sandbox.taut('on'))).code).toBe(0);
  await until('the alert has cleared', async () => (await alerts(stack, 'TautOff')).length === 0);
  expect(await taut.stop()).toBe(0);
});

interface JaegerSpan {
  readonly operationName: string;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

/** The dashboard's variables as the link that jaeger-ui.json adds to a span sets them. */
function wayBack(span: JaegerSpan | undefined): Record<string, string> {
  const { linkPatterns } = JSON.parse(readFileSync(join(CONFIG, 'jaeger-ui.json'), 'utf8')) as {
    linkPatterns: { key: string; url: string }[];
  };
  const tags = new Map(span?.tags.map(({ key, value }) => [key, encodeURIComponent(String(value))]));
  const [pattern] = linkPatterns.filter(({ key }) => tags.has(key));
  const url = new URL(pattern?.url.replace(/#\{([^}]+)\}/g, (_, key: string) => tags.get(key) ?? 'absent') ?? '');
  expect(url.pathname).toBe(`/d/${dashboard().uid}`);
  return Object.fromEntries([...url.searchParams].map(([name, value]) => [name.replace('var-', ''), value]));
}
