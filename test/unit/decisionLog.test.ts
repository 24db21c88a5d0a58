import { expect, test } from 'vitest';
import { DecisionLog } from '../../src/discovery/decisionLog.ts';
import type { Verdict } from '../../src/discovery/verdict.ts';

const verdict = (pid: number, decision: Verdict['decision']): Verdict => ({
  pid,
  decision,
  ruleId: '',
  name: '',
  attachPath: 'cmdline',
  evidence: [],
  lost: [],
});

test('what led to a decision is added up, and the first and the newest of many sightings stay', () => {
  const kept = new DecisionLog();
  kept.keep(verdict(1, 'ignore'), { source: 'scan', atMs: 1 });
  for (let i = 0; i < 100; i++) kept.keep(verdict(1, 'attach'), { source: 'dns', atMs: 10 + i, what: `name-${i}` });
  kept.keep(verdict(1, 'attach'), { source: 'scan', atMs: 500 });
  const { sightings = [], more, verdict: last } = kept.of(1) ?? {};
  expect(last?.decision).toBe('attach');
  expect(sightings).toHaveLength(32);
  expect(more).toBe(101 - 32);
  expect(sightings[0]).toEqual({ source: 'scan', atMs: 1, lastMs: 500, times: 2 });
  expect(sightings.at(-1)).toMatchObject({ what: 'name-99' });
});

test('many processes that no rule names do not drive out those that one does; what is dropped of the living is counted', () => {
  const kept = new DecisionLog();
  // This process lives; the others have ids that no process can have.
  kept.keep(verdict(process.pid, 'ignore'), { source: 'scan', atMs: 1 });
  kept.keep(verdict(1_000_000_000, 'deny'), { source: 'scan', atMs: 1 });
  for (let i = 1; i <= 20_000; i++) kept.keep(verdict(1_000_000_000 + i, 'ignore'), { source: 'exec', atMs: i });
  expect(kept.last(10).map(({ verdict: { pid } }) => pid)).toEqual([1_000_000_000]);
  expect(kept.of(process.pid)).toBeUndefined();
  expect(kept.of(1_000_020_000)).toBeDefined();
  expect(kept.dropped).toBe(1);
});
