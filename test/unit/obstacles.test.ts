/** What keeps taut from tuning is said once with its remedy, and is why the command fails. */
import { expect, test } from 'vitest';
import { LedgerError } from '../../src/actuator/ledgerFile.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { Obstacles } from '../../src/agents/obstacles.ts';
import { Operations } from '../../src/agents/operations.ts';

function begin() {
  const lines: string[] = [];
  const warn = (line: string) => lines.push(line);
  const log = { error: warn, warn, info: warn, debug: warn };
  return { lines, obstacles: new Obstacles(log, new Operations('none')) };
}

const fails = () => {
  throw new LedgerError('/state/ledger', new Error('the disk is full'));
};

test('a ledger that fails stops only the work that needs it, is said once, and fails the command', () => {
  const { lines, obstacles } = begin();
  expect([obstacles.attempt(() => 'done'), obstacles.any]).toEqual(['done', false]);
  expect([obstacles.attempt(fails), obstacles.attempt(fails), obstacles.any]).toEqual([undefined, undefined, true]);
  expect(lines).toEqual([expect.stringMatching(/^not tuning: .*the disk is full; .*--state-dir/)]);
});

test('another error is nobody’s obstacle: it is thrown', () => {
  const { obstacles } = begin();
  const broken = () => {
    throw new TypeError('a mistake');
  };
  expect(() => obstacles.attempt(broken)).toThrow('a mistake');
  expect(obstacles.any).toBe(false);
});

test('a kernel that refuses a write is said once, of the first agent, and fails the command', () => {
  const { lines, obstacles } = begin();
  const agent = (pid: number) => ({
    ...{ pid, startTicks: 1, name: 'claude-code', rule: 'claude-code', attachPath: 'cmdline' },
    origin: () => ({ executable: undefined, container: undefined, podUid: undefined, user: undefined }),
  });
  obstacles.denied(agent(7), timerSlack);
  obstacles.denied(agent(8), timerSlack);
  expect(obstacles.any).toBe(true);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('claude-code (7)');
});

test('a knob that this host can not do is said once, when it is to be changed, and fails the command', () => {
  const { lines, obstacles } = begin();
  let asked = 0;
  const support = () => ({ name: 'made up', ok: asked++ > 0, detail: 'there is none here', mend: 'get one' });
  expect(obstacles.isLacking(timerSlack)).toBe(false);
  expect(obstacles.any).toBe(false);
  const lacking = { ...timerSlack, id: 'made_up', title: 'made-up thing', support };
  expect([obstacles.isLacking(lacking), obstacles.isLacking(lacking)]).toEqual([true, true]);
  expect(obstacles.any).toBe(true);
  expect(lines).toEqual(['not changing the made-up thing: there is none here; get one']);
});
