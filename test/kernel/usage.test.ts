/** What a person writes that can't be meant, or could mean two things: refused by the real program, with what to write. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcome, Program, slacks } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

test('a value after a space attaches to nobody and runs nothing', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using other = await sleeper(sandbox);
  const option = '--optimize-timer-slack';
  for (const [argv, right] of [
    [['attach', `${agent.pid}`, option, `${other.pid}`], `${option}=${other.pid}`],
    [['attach', option, `${agent.pid}`], `taut attach ${agent.pid} ${option}`],
    [['attach', `${agent.pid}`, option, '2.5us'], `${option}=2.5us`],
    [['watch', option, '10us'], `${option}=10us`],
    [['run', option, '10us', 'touch', `${sandbox.dir}/ran`], `${option} -- 10us`],
    [['run', option, '10us', '--', 'touch', `${sandbox.dir}/ran`], `${option}=10us`],
  ] as const) {
    await using taut = sandbox.taut(...argv);
    const { code, err } = await outcome(taut);
    expect([code, err.includes(right)], err).toEqual([2, true]);
  }
  expect([slacks(agent.pid), slacks(other.pid)]).toEqual([[50_000], [50_000]]);
  await using plain = new Program(LAUNCHER, ['watch', '--state-dir', sandbox.stateDir, `${option}=`]);
  expect((await outcome(plain)).code).toBe(2);
});

test('attach to nobody that is there fails, and says what each id is', async () => {
  using sandbox = new Sandbox();
  // A child that nobody waits for, and a thread beside the first.
  await using parent = new Program('python3', [
    '-c',
    'import os,threading\nif (z := os.fork()) == 0: os._exit(0)\nt = threading.Thread(target=input); t.start()\nos.waitid(os.P_PID, z, os.WEXITED | os.WNOWAIT)\nprint(z, t.native_id, flush=True)\nt.join()',
  ]);
  const [zombie = '', thread = ''] = (await parent.line(/^\d+ \d+$/)).split(' ');
  await using gone = new Program('true', []);
  await gone.ended;
  const kernelThread = readdirSync('/proc').find((id) => /^\d+$/.test(id) && isKernelThread(id)) ?? '';
  for (const [id, said, exit] of [
    [String(gone.pid), `there is no process ${gone.pid}`, 1],
    ['4194304', 'no process can have this id', 1],
    ['99999999', 'no process can have this id', 2],
    [zombie, `process ${zombie} has ended already`, 1],
    [thread, `${thread} is a thread of process ${parent.pid}`, 1],
    [kernelThread, `process ${kernelThread} is a thread of the kernel`, 1],
  ] as const) {
    await using taut = sandbox.taut('attach', id);
    const { code, err } = await outcome(taut);
    expect([code, err.includes(said)], err).toEqual([exit, true]);
  }
});

test('attach watches those that are there, says who is not, and fails in the end', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  await using gone = new Program('true', []);
  await gone.ended;
  await using taut = sandbox.taut('attach', `${gone.pid}`, `${agent.pid}`, '--optimize-timer-slack');
  await taut.line(/watching/);
  expect(slacks(agent.pid)).toEqual([1]);
  expect(await taut.stop()).toBe(1);
  expect(taut.errors.filter((line) => line.includes(`there is no process ${gone.pid}`))).toHaveLength(1);
  expect(slacks(agent.pid)).toEqual([50_000]);
});

function isKernelThread(id: string): boolean {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'latin1') === '' && /^Kthread:\s*1$/m.test(status(id));
  } catch {
    return false;
  }
}

function status(id: string): string {
  return readFileSync(`/proc/${id}/status`, 'latin1');
}

test('a state directory that can not be one is refused, by option and by variable, in every command', async () => {
  using sandbox = new Sandbox();
  const file = join(sandbox.dir, 'file');
  writeFileSync(file, '');
  const commands = ['watch', 'attach 1', 'run true', 'status', 'explain 1', 'restore', 'doctor', 'demo'];
  const ways = [
    ...['  ', '~/x', file, join(file, 'x'), `/tmp/${'x'.repeat(100)}`].map((dir) => [dir, 'watch'] as const),
    ...commands.map((command) => ['', command] as const),
  ];
  for (const [dir, line] of ways) {
    const [command = '', ...args] = line.split(' ');
    await using byOption = new Program(LAUNCHER, [command, '--state-dir', dir, ...args], process.env, sandbox.dir);
    await using byVariable = new Program(LAUNCHER, [command, ...args], { ...process.env, TAUT_STATE_DIR: dir });
    for (const { code, err } of await Promise.all([outcome(byOption), outcome(byVariable)])) {
      expect(code, err).toBe(2);
      expect(err).toMatch(
        /('--state-dir <dir>' .* is invalid|TAUT_STATE_DIR: ).*(name a directory|has not replaced|use a shorter one)/,
      );
    }
  }
  expect(readdirSync(sandbox.dir).sort()).toEqual(['config.yaml', 'file']);
});

test('a relative state directory is where taut was started', async () => {
  using sandbox = new Sandbox();
  await using taut = new Program(LAUNCHER, ['status', '--json', '--state-dir', 'here'], process.env, sandbox.dir);
  const { code, out } = await outcome(taut);
  expect([code, JSON.parse(out)]).toMatchObject([0, { ledger: { path: join(sandbox.dir, 'here/ledger.db') } }]);
});

test('config check warns with places, takes standard input, and fails for warnings only when it is told to', async () => {
  using sandbox = new Sandbox();
  const text = 'version: 1\nrules:\n  - id: a\n    env: A=1\n';
  writeFileSync(sandbox.config, text);
  const check = async (input: string, ...args: string[]) => {
    await using taut = new Program(LAUNCHER, ['config', 'check', ...args]);
    taut.child.stdin?.end(input);
    return await outcome(taut);
  };
  const lax = await check('', sandbox.config);
  expect(lax).toMatchObject({ code: 0, out: `${sandbox.config}: no mistake, 1 warning; 1 rules of its own` });
  expect(lax.err).toMatch(/config\.yaml:4:10: warning: env: .*write "A"$/);
  expect(await check('', '--strict', sandbox.config)).toMatchObject({ code: 1 });
  expect(await check(text, '-')).toMatchObject({
    code: 0,
    err: expect.stringContaining('standard input:4:10: warning'),
  });
  expect(await check('version: 2', '-')).toMatchObject({
    code: 2,
    err: expect.stringContaining('standard input:1:10'),
  });
  expect(await check('version: 1', '--strict', '-')).toMatchObject({ code: 0, err: '' });
});

async function run(...args: readonly string[]) {
  await using taut = new Program(LAUNCHER, args);
  return await outcome(taut);
}

test('flags check says what the start of watch says: mistakes stop both, warnings neither', async () => {
  using sandbox = new Sandbox();
  const path = join(sandbox.dir, 'flags.json');
  const flag = (key: string, more: object) =>
    JSON.stringify(
      { flags: { [key]: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', ...more } } },
      null,
      2,
    );
  writeFileSync(path, flag('taut.optimize-timer-slack', { defaultVariant: 'offf' }));
  const place = `${path}:9:25: defaultVariant: "offf" is no variant; did you mean "off"?`;
  expect(await run('flags', 'check', path)).toMatchObject({ code: 2, out: '', err: place });
  const watch = await run('watch', '--flags', path, '--config', sandbox.config, '--state-dir', sandbox.stateDir);
  expect([watch.code, watch.err.includes(place)], watch.err).toEqual([2, true]);

  writeFileSync(path, flag('taut.optimise-timer-slack', {}));
  const warning = 'unknown flag "taut.optimise-timer-slack"; did you mean "taut.optimize-timer-slack"?';
  const said = await run('flags', 'check', path);
  expect(said).toMatchObject({ code: 0, err: `${path}:3:5: warning: ${warning}` });
  expect(await run('flags', 'check', '--strict', path)).toMatchObject({ code: 1 });
  await using taut = await sandbox.watch('--flags', path);
  expect(taut.errors.filter((line) => line.includes(warning))).toHaveLength(1);
  // A mistake that comes later is said as well.
  writeFileSync(path, flag('taut.optimize-timer-slack', { variants: { on: '10 parsecs', off: false } }));
  await taut.line(
    /flags\.json:6:\d+: variants: on: "10 parsecs" is no timer slack.*; agents keep .* no other is tuned$/,
  );
  expect(await taut.stop()).toBe(0);
});

test('a file without end is refused by what checks files, and a newline in its name stays on the line', async () => {
  using sandbox = new Sandbox();
  const broken = join(sandbox.dir, 'a\nb.yaml');
  writeFileSync(broken, 'version: 7');
  for (const check of ['config', 'flags']) {
    expect(await run(check, 'check', '/dev/zero')).toMatchObject({
      code: 2,
      err: 'taut: /dev/zero is larger than 4 MiB',
    });
    expect((await run(check, 'check', broken)).err).toMatch(/a\\nb\.yaml:1:\d+: /);
  }
});

test('version is asked for in each of the usual ways', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const way of ['version', '-v', '--version', '-V']) {
    await using taut = new Program(LAUNCHER, [way]);
    expect(await outcome(taut)).toEqual({ code: 0, out: version, err: '' });
  }
});

/** What only a reader of the pages knows. */
const JARGON =
  /\b(gates?|ledger(?!\.db)|canary|knobs?|sink|sight(ed|ing)?s?|preset|as found|daemon|reachable|drifted)\b/i;

test.each([
  '',
  ...['watch', 'run', 'attach', 'status', 'explain', 'restore', 'doctor', 'demo', 'version', 'flags', 'config'],
  ...['flags check', 'config check', 'config show', 'config import', 'config schema'],
])('the help of taut %s fits 80 columns, has examples, and no word that needs the pages', async (command) => {
  const words = command.split(' ').filter((word) => word !== '');
  await using taut = new Program(LAUNCHER, [...words, '--help']);
  const { code, out } = await outcome(taut);
  expect(code).toBe(0);
  expect(out.split('\n').filter((line) => line.length > 80 || JARGON.test(line))).toEqual([]);
  expect(out).not.toContain('slack [value]');
  if (!['version', 'flags', 'config', 'config schema'].includes(command)) expect(out).toMatch(/ {2}taut \w+/);
});

test('says that it puts back only where something was written, and that it waits where there is no agent', async () => {
  using sandbox = new Sandbox();
  await using idle = await sandbox.watch('--optimize-timer-slack');
  expect(await idle.line(/no agent is running yet/)).toContain('waiting');
  expect(await idle.stop()).toBe(0);
  await using _agent = await sleeper(sandbox);
  await using observing = await sandbox.watch();
  expect(await observing.stop('SIGINT')).toBe(0);
  await using tuning = await sandbox.watch('--optimize-timer-slack');
  expect(await tuning.stop()).toBe(0);
  const said = [idle, observing, tuning].map(({ errors }) => errors.filter((line) => /SIG(TERM|INT): /.test(line)));
  expect(said).toEqual([
    ['taut: SIGTERM: ending'],
    ['taut: SIGINT: ending'],
    ['taut: SIGTERM: putting everything back'],
  ]);
  expect([...observing.errors, ...tuning.errors].filter((line) => /no agent/.test(line))).toEqual([]);
});

test('what it says in the life of an agent needs no page', async () => {
  using sandbox = new Sandbox();
  await using agent = await sleeper(sandbox);
  const said: string[] = [];
  const run = async (...args: string[]) => {
    await using taut = sandbox.taut(...args);
    const { out, err } = await outcome(taut);
    said.push(out, err);
  };
  const pid = String(agent.pid);
  await run('status');
  await run('restore');
  await run('explain', pid);
  await run('explain', pid, '--config', sandbox.config);
  await run('explain', '2');
  await run('doctor');
  await using observing = sandbox.taut('attach', pid);
  await observing.line(/watching/);
  await run('status');
  await run('explain', pid);
  await observing.stop();
  await using tuning = await sandbox.watch('--optimize-timer-slack');
  await run('status');
  await run('explain', '--cmdline', 'claude');
  await run('explain', pid, '--rule', 'fixture');
  await run('restore', '--dry-run');
  await run('restore', pid);
  await tuning.stop();
  said.push(...observing.errors, ...tuning.errors);
  expect(
    said
      .join('\n')
      .split('\n')
      .filter((line) => JARGON.test(line)),
  ).toEqual([]);
  expect(said.join('\n')).toContain(`stopped watching fixture-agent (${pid}): taut ends`);
  expect(said.join('\n')).toContain('a process with this command line is no agent: no rule names it');
  expect(said.join('\n')).toContain(`rule fixture matches process ${pid}`);
});
