/** Whose original a child gets back, if taut ends before it hears of the child. */
import { expect, test } from 'vitest';
import { Life, TARGET } from '../support/life.ts';
import { ORIGINAL } from '../support/madeUpHost.ts';

test('a child of an agent below another agent gets back what its own parent had, whichever is put back first', async () => {
  for (const isUpperFirst of [true, false]) {
    using life = new Life({ rules: '[{ id: bots, program: [bot, worker] }]' });
    const upper = life.host.start(['/bin/bot'], { value: 7_000n });
    await life.hear();
    const lower = life.host.fork(upper);
    await life.hear();
    life.host.set(lower, ORIGINAL);
    life.host.exec(lower, ['/bin/worker']);
    await life.hear();
    const child = life.host.fork(lower);
    expect(life.host.value(child)).toBe(TARGET);
    for (const pid of isUpperFirst ? [upper, lower] : [lower, upper]) life.agents.letGo(pid, 'the test says so');
    expect([upper, lower, child].map((pid) => life.host.value(pid))).toEqual([7_000n, ORIGINAL, ORIGINAL]);
  }
});
