/** How a process comes to be an agent, and ceases to be one: by what it runs and by what it calls itself. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

const WITH_DENIAL = '[{ id: bots, program: [bot, robot] }, { id: never, action: deny, anyArg: "--leave-me" }]';

test('an exec makes a process an agent by its command line, and every thread of it is tuned', async () => {
  using life = new Life();
  const other = await life.run('cat', 'bot');
  const pid = await life.run('bot', '--quick');
  life.host.thread(pid);
  await life.hear();
  expect(life.pids()).toEqual([pid]);
  expect(life.host.values(pid)).toEqual([TARGET, TARGET]);
  expect(life.host.values(other)).toEqual([ORIGINAL]);
  expect(life.ledger.count()).toBe(2);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL, ORIGINAL]);
  expect(life.ledger.count()).toBe(0);
});

test('a denied command is no agent, by whichever other rule', async () => {
  using life = new Life({ rules: WITH_DENIAL });
  const pid = await life.run('bot', '--leave-me');
  expect(life.pids()).toEqual([]);
  expect(life.host.values(pid)).toEqual([ORIGINAL]);
  expect(life.decisions.named(pid)?.verdict).toMatchObject({ decision: 'deny', ruleId: 'never' });
});

test('an agent that runs a program that is none is put back', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  life.host.exec(pid, ['/bin/cat']);
  await life.hear();
  expect(life.pids()).toEqual([]);
  expect(life.host.values(pid)).toEqual([ORIGINAL]);
  expect(life.lines).toContain(
    `info: stopped watching bots (${pid}): it runs another program now; put back 1 of 1 threads`,
  );
});

test('threads that have ended are told of beside those that are put back', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const tid = life.host.thread(pid);
  await life.hear();
  life.host.untrace(pid); // the kernel says nothing of its end
  life.host.endThread(tid);
  life.host.exec(pid, ['/bin/cat']);
  await life.hear();
  expect(life.lines).toContain(
    `info: stopped watching bots (${pid}): it runs another program now; put back 1 of 2 threads (1 ended before)`,
  );
});

test('an agent that runs a program that is denied is put back', async () => {
  using life = new Life({ rules: WITH_DENIAL });
  const pid = await life.run('bot');
  life.host.exec(pid, ['/usr/bin/robot', '--leave-me']);
  await life.hear();
  expect(life.pids()).toEqual([]);
  expect(life.host.values(pid)).toEqual([ORIGINAL]);
});

test('an agent that runs the same program anew stays the same agent, and what is left of its threads stays tuned', async () => {
  using life = new Life();
  const pid = await life.run('bot');
  const before = life.agent(pid);
  life.host.thread(pid);
  await life.hear();
  life.host.exec(pid, ['/usr/bin/bot', '--again']);
  await life.hear();
  expect(life.agent(pid)).toBe(before);
  expect(life.host.values(pid)).toEqual([TARGET]);
  expect(life.ledger.count()).toBe(1);
});

test('an agent that runs a program of another rule is the agent of that one, and its original is what it was', async () => {
  using life = new Life({ rules: '[{ id: bots, program: bot }, { id: robots, program: robot }]' });
  const pid = await life.run('bot');
  life.host.exec(pid, ['/usr/bin/robot']);
  await life.hear();
  expect(life.agent(pid)?.identity.rule).toBe('robots');
  expect(life.host.values(pid)).toEqual([TARGET]);
  life.detach();
  expect(life.host.values(pid)).toEqual([ORIGINAL]);
});

test('a process that takes the name of an agent is one from then on, and stays one whatever it calls itself', async () => {
  using life = new Life();
  const pid = await life.run('node', 'server.js');
  life.host.rename(pid, 'bot');
  await life.hear();
  expect(life.host.values(pid)).toEqual([TARGET]);
  life.host.rename(pid, 'at work');
  await life.hear();
  expect(life.pids()).toEqual([pid]);
  expect(life.host.values(pid)).toEqual([TARGET]);
  expect(life.decisions.named(pid)?.verdict.evidence.join()).toContain('no rule names it now; it stays bots');
});

test('a program that was told to do something else than be the agent is none under its title either, until it runs another', async () => {
  using life = new Life({ rules: '[{ id: bots, program: bot, not: { command: update, option: -V } }]' });
  for (const told of ['update', '-V']) {
    const pid = await life.run('bot', told);
    for (const title of ['bot', 'bot-updater', 'bot']) {
      life.host.rename(pid, title);
      await life.hear();
      expect(life.pids()).toEqual([]);
    }
    expect(life.decisions.explain(pid).kept?.verdict.evidence.join()).toContain('started to do something else');
    life.host.exec(pid, ['bot']);
    await life.hear();
    expect(life.pids()).toEqual([pid]);
    life.host.exec(pid, ['cat']);
    await life.hear();
  }
});

test('an agent that takes a denied name is put back', async () => {
  using life = new Life({ rules: '[{ id: bots, program: bot }, { id: never, action: deny, program: secret }]' });
  const pid = await life.run('bot');
  life.host.rename(pid, 'secret');
  await life.hear();
  expect(life.pids()).toEqual([]);
  expect(life.host.values(pid)).toEqual([ORIGINAL]);
});

test('of two execs that are heard together the last one counts, whichever was the agent', async () => {
  for (const [first, second] of [
    ['bot', 'cat'],
    ['cat', 'bot'],
  ] as const) {
    using life = new Life();
    const pid = life.host.start([`/bin/${first}`]);
    life.host.exec(pid, [`/bin/${second}`]);
    await life.hear();
    expect(life.pids()).toEqual(second === 'bot' ? [pid] : []);
    expect(life.host.values(pid)).toEqual([second === 'bot' ? TARGET : ORIGINAL]);
  }
});

test('an exec and a rename that are heard together: what it is by then counts, in both orders', async () => {
  for (const isAgentFirst of [true, false]) {
    using life = new Life();
    const pid = life.host.start([isAgentFirst ? '/bin/bot' : '/bin/cat']);
    life.host.rename(pid, isAgentFirst ? 'cat' : 'bot');
    await life.hear();
    expect(life.pids()).toEqual(isAgentFirst ? [] : [pid]);
  }
});

test('what was found by a scan is not found again by its exec, nor the other way round', async () => {
  using life = new Life();
  const pid = life.host.start(['/bin/bot']);
  await life.scan();
  const found = life.agent(pid);
  await life.hear();
  await life.scan();
  expect(life.agent(pid)).toBe(found);
  expect(life.lines.filter((line) => line.includes('attached to'))).toHaveLength(1);
});
