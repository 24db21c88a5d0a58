/** The commands as a user runs them, and what they say where something can't be done. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Arm, drawBuild } from '../../scripts/drawBuild.ts';
import { KNOBS } from '../../src/actuator/knobs.ts';
import type { ThreadCounts } from '../../src/agents/identity.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { type MetricRequest, metricsOf, values } from '../support/otlp.ts';
import { outcome, Program, slacks, until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';
import { isWellFormed } from '../support/xml.ts';

test('attach watches just the processes that it is given, and ends with them', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using other = await sleeper(sandbox);
  await using taut = sandbox.taut('attach', String(agent.pid), '--optimize-timer-slack');
  await taut.line(/watching/);
  expect([slacks(agent.pid), slacks(other.pid)]).toEqual([[1], [50_000]]);
  const status = await sandbox.json<StatusDocument>('status');
  expect(status.agents).toMatchObject([{ pid: agent.pid, rule: 'pid', attachPath: 'pid', target: 1 }]);
  await agent.stop();
  expect(await taut.ended).toBe(0);
});

test('status says who is attached and tuned, to what, and why', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  expect(await sandbox.json('status')).toMatchObject({ daemon: null, agents: [], ledger: { entries: 0 } });
  await using taut = await sandbox.watch('--optimize-timer-slack=2us');
  expect(await sandbox.json('status')).toMatchObject({
    daemon: { pid: taut.pid },
    agents: [
      {
        pid: agent.pid,
        name: 'fixture-agent',
        rule: 'fixture',
        attachPath: 'cmdline',
        target: 2000,
        gate: { value: 2000, reason: '--optimize-timer-slack' },
        threads: { total: 1, original: 0, tuned: 1, drifted: 0, exempt: 0 },
      },
    ],
    ledger: { entries: 1 },
  });
});

test('watch --json says what happens to agents, one document a line, and nothing else on standard output', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack', '--json');
  expect(await taut.stop()).toBe(0);
  expect(taut.lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: 'attach', agent: { pid: agent.pid, rule: 'fixture', target: 1, threads: { total: 1, tuned: 1 } } },
    { event: 'release', agent: { pid: agent.pid, target: null, threads: { total: 1, original: 1 } } },
  ]);
});

test('explain gives the same decision with and without a daemon, and never an argument', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const explain = () => sandbox.json<Record<string, unknown>>('explain', String(agent.pid), '--config', sandbox.config);
  const without = await explain();
  expect(without).toMatchObject({ pid: agent.pid, decision: 'attach', rule: 'fixture', gate: null });
  await using _taut = await sandbox.watch();
  expect(await explain()).toMatchObject({
    decision: 'attach',
    rule: 'fixture',
    evidence: without['evidence'],
    gate: { value: null, reason: '--optimize-timer-slack was not given' },
  });
  expect(await sandbox.json('explain', String(process.pid), '--config', sandbox.config)).toMatchObject({
    decision: 'ignore',
    rule: null,
  });
});

test('explain shows the last decisions of a daemon, and what the rules would say to a command line', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  interface Explained {
    readonly pid: number | null;
    readonly decision: string;
    readonly rule: string | null;
  }
  const dry = (cmdline: string) => sandbox.json<Explained>('explain', '--cmdline', cmdline);
  expect(await dry('node --flag /x/node_modules/.bin/gemini -p "a b"')).toMatchObject({
    pid: null,
    rule: 'builtin/gemini-cli',
  });
  expect(await dry('vim claude.md')).toMatchObject({ decision: 'ignore', rule: null });
  await using _taut = await sandbox.watch();
  const last = await sandbox.json<Explained[]>('explain', '--last', '5');
  expect(last).toMatchObject([{ pid: agent.pid, decision: 'attach', rule: 'fixture' }]);
});

test('explain compares with the rules of the running taut, one of them condition by condition', async () => {
  using sandbox = Sandbox.withRules([{ id: 'mine', program: 'my-bot', not: { command: 'serve' } }]);
  await using agent = await sleeper(sandbox);
  interface Walk {
    readonly steps: { readonly condition: string; readonly holds: boolean }[];
    readonly daemon: boolean;
  }
  const walk = (...of: string[]) => sandbox.json<Walk>('explain', ...of, '--rule', 'mine');
  const dry = () => sandbox.json<{ rule: string | null; daemon: boolean }>('explain', '--cmdline', 'my-bot --fast');
  expect(await dry()).toMatchObject({ rule: null, daemon: false });
  await using _taut = await sandbox.watch();
  expect(await dry()).toMatchObject({ rule: 'mine', daemon: true });
  expect(await walk(String(agent.pid))).toMatchObject({
    steps: [{ condition: 'program', holds: false }, {}],
    daemon: true,
  });
  expect(await walk('--cmdline', 'my-bot serve')).toMatchObject({
    steps: [
      { condition: 'program', holds: true },
      { condition: 'command', holds: true },
    ],
  });
});

test('a command line is compared with the rules of the running taut, also where the environment names a configuration; its answer says whose', async () => {
  using sandbox = Sandbox.withRules([{ id: 'mine', program: 'my-bot' }]);
  const others = join(sandbox.dir, 'others.yaml');
  writeFileSync(others, 'version: 1\nrules: [{ id: others, program: my-bot }]\n');
  const explain = async (...args: string[]) => {
    const asked = sandbox.tautWith({ TAUT_CONFIG: others }, 'explain', '--cmdline', 'my-bot', ...args);
    await asked.ended;
    return asked.lines.join('\n');
  };
  expect(await explain()).toMatch(
    /rule others.*these are the rules that \S+others.yaml gives: no taut with the state directory/s,
  );
  await using _taut = await sandbox.watch();
  expect(await explain()).toMatch(/rule mine.*these are the rules of the running taut$/s);
  expect(await explain('--rule', 'mine')).toMatch(/rule mine matches.*this is one of the rules of the running taut$/s);
  expect(await explain('--config', others)).toMatch(/rule others.*these are the rules that \S+others.yaml gives$/s);
});

test('rules are read again on change and on SIGHUP, and broken ones change nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using taut = await sandbox.watch('--optimize-timer-slack');
  const before = readFileSync(sandbox.config, 'utf8');
  const rules = (text: string) => writeFileSync(sandbox.config, text);
  rules('version: 1\nrulez: []\n');
  await taut.line(/the rules stay as they were: .*:2:1: unknown key "rulez"; did you mean "rules"/);
  expect(slacks(agent.pid)).toEqual([1]);
  rules('version: 1\nbuiltin: false\n');
  await until('it is put back', () => slacks(agent.pid)[0] === 50_000);
  expect((await sandbox.json<StatusDocument>('status')).agents).toEqual([]);
  rules(before.replace('id: fixture', 'id: changed\n    optimizeTimerSlack: 5us'));
  await until('it is tuned as the new rule says', () => slacks(agent.pid)[0] === 5_000);
  const read = () => taut.errors.filter((line) => line.includes('rules read again')).length;
  const times = read();
  taut.child.kill('SIGHUP');
  await until('they are read on SIGHUP', () => read() > times);
  expect(await taut.stop()).toBe(0);
});

test('a second daemon says who holds the state directory, and changes nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using first = await sandbox.watch();
  await using second = sandbox.taut('watch', '--optimize-timer-slack', '--config', sandbox.config);
  const { code, err } = await outcome(second);
  expect(code).toBe(1);
  expect(err).toContain(String(first.pid));
  expect(slacks(agent.pid)).toEqual([50_000]);
});

test.each([
  [['watch', '--optimize-timer-slack=5parsecs'], /5parsecs/],
  [['watch', '--config', '/no/such/file.yaml'], /\/no\/such\/file\.yaml/],
  [['watch', '--flags', '/no/such/flags.json'], /\/no\/such\/flags\.json/],
  [['wach'], /Did you mean watch/],
  [['attach', '0'], /process id/],
  [['explain'], /a process id, --last or --cmdline/],
  [['explain', '--rule', 'x'], /a process id or --cmdline/],
])('%j is wrong usage, and says where', async (args, said) => {
  using sandbox = new Sandbox();
  await using program = new Program(LAUNCHER, args.includes('watch') ? [...args, '--state-dir', sandbox.dir] : args);
  const { code, err } = await outcome(program);
  expect(err).toMatch(said);
  expect(code).toBe(2);
});

test('a telemetry variable that cannot be understood stops the start', async () => {
  using sandbox = new Sandbox();
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' };
  await using program = new Program(LAUNCHER, ['watch', '--state-dir', sandbox.dir], env);
  const { code, err } = await outcome(program);
  expect([code, err.includes('OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318')]).toEqual([2, true]);
});

test('the demo shows most of the slack given back to the timers that it governs, then each setting beside a build, and puts every thread back', async () => {
  using sandbox = new Sandbox();
  await using program = sandbox.taut('demo', '--seconds', '2', '--json');
  const { code, out } = await outcome(program);
  expect(code).toBe(0);
  const { phases, build } = JSON.parse(out) as {
    phases: {
      name: string;
      threads: ThreadCounts;
      metrics: { 'taut.timer.lateness': { reachable: { count: number } } };
    }[];
    build: {
      readonly jobs: number;
      readonly arms: readonly (Arm & {
        readonly targets: Readonly<Record<string, number>>;
        readonly settings: readonly { readonly id: string; readonly threads: ThreadCounts }[];
      })[];
      readonly leftOut: readonly { readonly id: string }[];
    };
  };
  expect(phases.map((p) => p.name)).toEqual(['original', 'tuned', 'restored']);
  for (const { metrics } of phases) expect(metrics['taut.timer.lateness'].reachable.count).toBeGreaterThan(100);
  // Of the lateness, the part that the slack allows: the rest is the host's own, and on a busy one may be anything.
  const exported = readFileSync(join(sandbox.stateDir, 'demo/otlp/metrics.jsonl'), 'utf8').trim().split('\n');
  const points = metricsOf(
    exported.map((line) => JSON.parse(line) as MetricRequest),
    'taut.timer.slack_use',
  )
    .flatMap(({ exponentialHistogram }) => exponentialHistogram?.dataPoints ?? [])
    .filter(({ attributes }) => values(attributes)['taut.timer.slack_class'] === 'reachable');
  const mean = (isTuned: boolean) => {
    const last = points.filter(({ attributes }) => values(attributes)['taut.tuned'] === isTuned).at(-1);
    return Number(last?.sum) / Number(last?.count);
  };
  // What stays is what the kernel itself gives to an epoll_wait, a thousandth of its timeout.
  expect(mean(true)).toBeLessThan(mean(false) / 2);
  for (const [i, { threads }] of phases.entries())
    expect(threads).toMatchObject(
      i === 1 ? { original: 0, tuned: threads.total } : { original: threads.total, tuned: 0 },
    );

  // Beside its build: as found, each knob that this host can do, all of them, put back. Each does what it says, and no more.
  const able = KNOBS.map(({ id }) => id).filter((id) => build.leftOut.every((knob) => knob.id !== id));
  expect(build.arms.map(({ targets }) => Object.keys(targets))).toEqual([[], ...able.map((id) => [id]), able, []]);
  for (const { targets, settings, metrics } of build.arms) {
    expect(metrics['taut.wakeup.latency'].count).toBeGreaterThan(0);
    expect(settings.map(({ id }) => id)).toEqual(able);
    for (const { id, threads } of settings) {
      expect(threads.total).toBeGreaterThan(0);
      const [original, tuned] = id in targets ? [0, threads.total] : [threads.total, 0];
      expect({ id, ...threads }).toMatchObject({ original, tuned });
    }
  }
  expect(Math.max(...build.arms.map((arm) => arm.build.filesPerSecond))).toBeGreaterThan(0);
  expect(isWellFormed(drawBuild(build, 'here'))).toBe(true);
});
