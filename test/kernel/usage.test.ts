/** What a person writes that can't be meant, or could mean two things: refused by the real program, with what to write. */
import { expect, test } from 'vitest';
import { outcome, Program, slacks } from './program.ts';
import { Bench, LAUNCHER } from './taut.ts';

test('a value after a space attaches to nobody and runs nothing', async () => {
  using bench = new Bench();
  await using agent = bench.python('sleeper.py');
  await using other = bench.python('sleeper.py');
  await Promise.all([agent.line(/^ready/), other.line(/^ready/)]);
  const option = '--optimize-timer-slack';
  for (const [argv, right] of [
    [['attach', `${agent.pid}`, option, `${other.pid}`], `${option}=${other.pid}`],
    [['attach', option, `${agent.pid}`], `taut attach ${agent.pid} ${option}`],
    [['attach', `${agent.pid}`, option, '2.5us'], `${option}=2.5us`],
    [['watch', option, '10us'], `${option}=10us`],
    [['run', option, '10us', 'touch', `${bench.dir}/ran`], `${option} -- 10us`],
    [['run', option, '10us', '--', 'touch', `${bench.dir}/ran`], `${option}=10us`],
  ] as const) {
    await using taut = bench.taut(...argv);
    const { code, err } = await outcome(taut);
    expect([code, err.includes(right)], err).toEqual([2, true]);
  }
  expect([slacks(agent.pid), slacks(other.pid)]).toEqual([[50_000], [50_000]]);
  await using plain = new Program(LAUNCHER, ['watch', '--state-dir', bench.stateDir, `${option}=`]);
  expect((await outcome(plain)).code).toBe(2);
});
