/** Putting back where several knobs of one thread were tuned: each knob of it is on record by itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Knob } from '../../src/actuator/knob.ts';
import { Ledger } from '../../src/actuator/ledger.ts';
import { restoreEntries } from '../../src/actuator/restore.ts';
import { childrenOf } from '../../src/proc/ancestry.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { madeUpKnob } from '../support/madeUpKnob.ts';

const [ORIGINAL, TARGET] = [80n, 40n];

let directory: string;
let agent: ChildProcess;
let tool = 0;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'taut-restore-'));
  agent = spawn('sh', ['-c', 'sleep infinity & wait'], { stdio: 'ignore' });
  [tool = 0] = await vi.waitUntil(() => toolsOf(agent), { timeout: 20_000 });
});
afterEach(() => {
  if (tool !== 0) process.kill(tool); // 0 would be this whole process group
  agent.kill();
  rmSync(directory, { recursive: true });
});

function toolsOf({ pid = 0 }: ChildProcess): readonly number[] | undefined {
  const tools = childrenOf(pid);
  return tools.length > 0 ? tools : undefined;
}

function tune(ledger: Ledger, knob: Knob, pid: number): void {
  using thread = new ProcHandle(pid);
  const { startTicks } = thread.stat();
  const of = { tid: pid, startTicks, pid, processStartTicks: startTicks, knob: knob.id };
  const why = { agent: 'bot', rule: 'r', reason: 'so', operation: 'x', atMs: 1 };
  ledger.record([{ ...of, ...why, original: ORIGINAL, target: TARGET }]);
  knob.write(thread, TARGET);
}

test('who has one knob on record, and inherited another, gets both back', () => {
  const knobs = ['volume', 'pitch'].map(madeUpKnob);
  const [volume, pitch] = knobs as [Knob, Knob];
  using ledger = new Ledger(directory);
  const pid = agent.pid ?? 0;
  for (const knob of knobs) tune(ledger, knob, pid);
  // Killed after the tool was tuned by the second knob, and before it was contained, or tuned, by the first.
  tune(ledger, pitch, tool);
  using child = new ProcHandle(tool);
  volume.write(child, volume.inherited(TARGET));
  const results = restoreEntries(ledger, knobs, ledger.entries());
  for (const id of [pid, tool]) {
    using thread = new ProcHandle(id);
    expect(knobs.map((knob) => knob.read(thread))).toEqual([ORIGINAL, ORIGINAL]);
  }
  expect(results.map(({ outcome }) => outcome)).toEqual(Array(4).fill('restored'));
  expect(results.filter(({ isHeir }) => isHeir)).toMatchObject([{ tid: tool, knob: volume.id }]);
  expect(ledger.count()).toBe(0);
});

test('who has an entry of its own for a knob is no heir of that knob', () => {
  const volume = madeUpKnob('volume');
  using ledger = new Ledger(directory);
  for (const id of [agent.pid ?? 0, tool]) tune(ledger, volume, id);
  const entries = ledger.entries({ pids: [agent.pid ?? 0] });
  expect(restoreEntries(ledger, [volume], entries)).toMatchObject([{ tid: agent.pid }]);
  expect(ledger.entries()).toMatchObject([{ tid: tool }]);
});
