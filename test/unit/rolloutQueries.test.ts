/** What `taut rollout` asks a Prometheus, and what it makes of the answers. */
import { createServer, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { collect } from '../../src/cli/rollout/collect.ts';
import { Prometheus, type Sample } from '../../src/cli/rollout/prometheus.ts';
import { countsOf, histogramsOf, stored } from '../../src/cli/rollout/queries.ts';
import { closed, hostOf, listening } from '../support/loopback.ts';

const HOUR = { seconds: 3_600 };

test.each([
  ['taut.wakeup.run_queue_delay', 'taut.wakeup.run_queue_delay', 'native', true],
  ['taut.wakeup.run_queue_delay_seconds', 'taut.wakeup.run_queue_delay_seconds', 'native', true],
  ['taut_wakeup_run_queue_delay', 'taut_wakeup_run_queue_delay', 'native', false],
  ['taut_wakeup_run_queue_delay_seconds', 'taut_wakeup_run_queue_delay_seconds', 'native', false],
  ['taut_wakeup_run_queue_delay_seconds_bucket', 'taut_wakeup_run_queue_delay_seconds', 'classic', false],
] as const)('a Prometheus that has %s is asked for that', (name, metric, kind, dots) => {
  expect(stored('wakeup.run_queue_delay', ['taut_timer_lateness_seconds', name])).toEqual({ metric, kind, dots });
});

test('native histograms are taken where there are both, and without any there is nothing', () => {
  const names = ['taut_timer_lateness_seconds_bucket', 'taut_timer_lateness_seconds'];
  expect(stored('timer.lateness', names)?.kind).toBe('native');
  expect(stored('timer.lateness', ['taut_timer_lateness_seconds_count'])).toBeUndefined();
});

test('names with dots are quoted, as Prometheus 3 wants them, and others are as every Prometheus takes them', () => {
  const dots = { metric: 'taut.timer.lateness', kind: 'native', dots: true } as const;
  expect(histogramsOf(dots, HOUR, 'host')).toMatch(
    /^sum by \(job, instance, "host\.name", "feature_flag\.key", .*last_over_time\({"taut\.timer\.lateness", "feature_flag\.key"=~"\.\+"}\[3600s\]\)/,
  );
  const plain = { metric: 'taut_timer_lateness_seconds', kind: 'classic', dots: false } as const;
  expect(
    histogramsOf(plain, { ...HOUR, flag: 'taut.optimize' }, 'agent', { 'taut.timer.slack_class': 'reachable' }),
  ).toMatch(
    /^sum by \(job, instance, host_name, process_pid, .*, le\) .*taut_timer_lateness_seconds_bucket{feature_flag_key=~"\(\.\*,\)\?taut\\\\\.optimize\(,\.\*\)\?", taut_timer_slack_class="reachable"}/,
  );
  expect(countsOf(plain, HOUR)).toContain('taut_timer_lateness_seconds_count{');
});

/** A fleet: hosts with two agents each, one for each variant; what they waited for is the same in each bucket. */
function fleet(hosts: number, { classic = false, key = 'taut.optimize', variants = ['off', 'on'] } = {}) {
  const asked: string[] = [];
  const counts: Sample[] = [];
  const waits: Sample[] = [];
  for (let host = 0; host < hosts; host++)
    for (const [pid, variant] of variants.entries()) {
      const arm = { feature_flag_key: key, feature_flag_result_variant: variant, job: 'taut', instance: `i${host}` };
      counts.push({ metric: { ...arm, process_pid: `${pid}`, process_creation_time: 'then' }, value: [0, '10'] });
      const of = { ...arm, ...(hosts < 10 && { process_pid: `${pid}`, process_creation_time: 'then' }) };
      if (!classic) waits.push({ metric: of, histogram: [0, { buckets: [[0, '0.001', '0.002', '10']] }] });
      else
        for (const [le, n] of [
          ['0.001', '0'],
          ['0.002', '10'],
          ['+Inf', '10'],
        ] as const)
          waits.push({ metric: { ...of, le }, value: [0, n] });
    }
  const names = ['taut_wakeup_run_queue_delay_seconds', 'taut_timer_lateness_seconds'];
  const prometheus = {
    name: 'http://prometheus',
    names: async () => names.map((name) => `${name}${classic ? '_bucket' : ''}`),
    async query(expression: string) {
      asked.push(expression);
      if (expression.includes('target_info'))
        return [
          { metric: { job: 'taut', instance: 'i0', host_name: 'a' } },
          { metric: { job: 'taut', instance: 'i1', host_name: 'a' } },
        ];
      return /^sum by \([^)]*\) \((histogram_count|.*_count{)/.test(expression) ? counts : waits;
    },
  };
  return { prometheus, asked };
}

test.each([false, true])(
  'agents are drawn where hosts are few, with what each waited for; classic: %s',
  async (classic) => {
    const { prometheus } = fleet(3, { classic });
    const { flag, unit, hosts, units, cells, arms, histograms } = await collect(prometheus, HOUR, 0);
    // Two of the three tauts have run on host `a`, where two agents have one process id, then.
    expect({ flag, unit, hosts, histograms }).toEqual({
      ...{ flag: 'taut.optimize', unit: 'agent', hosts: 2 },
      histograms: classic ? 'classic' : 'native',
    });
    expect(arms).toEqual(
      new Map([
        ['off', { agents: 2, wakeups: 30 }],
        ['on', { agents: 2, wakeups: 30 }],
      ]),
    );
    expect(units).toHaveLength(4);
    const each = units.flatMap(({ arms: own }) => [...own.values()].flatMap(({ queue }) => queue ?? []));
    const all = cells.queue.empty().map((_, i) => each.reduce((sum, counts) => sum + (counts[i] ?? 0), 0));
    expect(all.reduce((sum, n) => sum + n, 0)).toBe(60);
    expect(cells.queue.quantile(all, 1)).toBe(0.002);
  },
);

test('hosts are drawn with all of their agents where there are enough, and Prometheus adds up what is on one', async () => {
  const { prometheus, asked } = fleet(12);
  const { unit, hosts, units } = await collect(prometheus, HOUR, 0);
  expect([unit, hosts, units.length]).toEqual(['host', 11, 11]);
  expect(units.every(({ arms }) => arms.size === 2)).toBe(true);
  expect(asked.at(-1)).not.toContain('process_pid');
});

test('of agents on which several flags decided, one flag is compared; none is guessed', async () => {
  const options = {
    key: 'taut.optimize-sched-slice,taut.optimize-timer-slack',
    variants: ['off,on', 'off,off', 'on,on'],
  };
  await expect(collect(fleet(3, options).prometheus, HOUR, 0)).rejects.toThrow(
    'several flags decide: taut.optimize-sched-slice, taut.optimize-timer-slack; name one, like --flag taut.optimize-sched-slice',
  );
  const { arms } = await collect(fleet(3, options).prometheus, { ...HOUR, flag: 'taut.optimize-timer-slack' }, 0);
  expect([...arms].map(([variant, { wakeups }]) => [variant, wakeups])).toEqual([
    ['on', 60],
    ['off', 30],
  ]);
});

test('without the metric, or without a variant, it is said what is missing', async () => {
  const empty = { name: 'http://prometheus', names: async () => [], query: async () => [] };
  await expect(collect(empty, HOUR, 0)).rejects.toThrow(/http:\/\/prometheus has no metric .*native histograms/);
  const names = async () => ['taut_wakeup_run_queue_delay_seconds'];
  await expect(collect({ ...empty, names }, HOUR, 0)).rejects.toThrow(/no agent that a flag decided on .*--flags/);
});

/** Asks what answers so. */
async function asking(answer: RequestListener, ask: (address: string) => Promise<unknown>): Promise<unknown> {
  const server = await listening(createServer(answer));
  try {
    return await ask(`http://${hostOf(server)}`);
  } finally {
    await closed(server);
  }
}

test('headers of the environment and the user of the address are sent, and neither is shown', async () => {
  const seen: unknown[] = [];
  const answer: RequestListener = ({ headers, url }, response) => {
    seen.push([url, headers.authorization, headers['x-scope']]);
    response.end(JSON.stringify({ status: 'success', data: { result: [] } }));
  };
  await asking(answer, async (address) => {
    const env = { TAUT_PROMETHEUS_HEADERS: 'Authorization=Bearer%20s3cret, X-Scope=a' };
    await new Prometheus(`${address}/tenant/`, env).query('up', 0);
    const withUser = new Prometheus(address.replace('//', '//me:s3cret@'), {});
    await withUser.query('up', 0);
    expect(withUser.name).not.toContain('s3cret');
  });
  const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;
  expect(seen).toEqual([
    ['/tenant/api/v1/query', 'Bearer s3cret', 'a'],
    ['/api/v1/query', basic, undefined],
  ]);
});

test.each([
  [401, 'no', /answers 401 .*TAUT_PROMETHEUS_HEADERS/],
  [404, 'nothing here', /answers 404 .*without \/api\?$/],
  [200, '<html>', /does not answer as a Prometheus does/],
  [200, 'null', /does not answer as a Prometheus does/],
  [200, '{"data": {"result": {}}}', /does not answer as a Prometheus does/],
  [200, '{"data": {"result": [7]}}', /does not answer as a Prometheus does/],
  [422, JSON.stringify({ status: 'error', error: 'too many samples' }), /answers 422 .*too many samples$/],
])('an answer %i is told with its address, reason and mend', async (status, body, why) => {
  const answer: RequestListener = (_, response) => response.writeHead(status).end(body);
  await asking(answer, async (address) => {
    const error = await new Prometheus(address, {}).query('up', 0).catch((e) => e);
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(why) });
    expect(error.message).toContain(address);
  });
});

test('nobody there, no address and no header are told', async () => {
  const away = await asking(
    () => {},
    async (address) => address,
  );
  await expect(new Prometheus(String(away), {}).query('up', 0)).rejects.toThrow(
    /can't be reached: .*ECONNREFUSED.*; --prometheus is/,
  );
  expect(() => new Prometheus('prometheus:9090', {})).toThrow(/an address is wanted, like http:/);
  expect(() => new Prometheus('http://x', { TAUT_PROMETHEUS_HEADERS: 'Bearer s3cret' })).toThrow(
    /^(?!.*s3cret).*NAME=VALUE/,
  );
});
