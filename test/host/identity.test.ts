/** Ids of the dead are given to others between sighting and write: whatever was decided about them writes nobody else. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Containment } from '../../src/actuator/containment.ts';
import { Converger, type TuneOrder } from '../../src/actuator/converge.ts';
import { Ledger } from '../../src/actuator/ledger.ts';
import { restoreEntries } from '../../src/actuator/restore.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { ask } from '../support/conversation.ts';
import { Program, slacks, until } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const ROUNDS = 2_000;

function orderFor(process: ProcHandle): TuneOrder {
  const processStartTicks = process.stat().startTicks;
  return { pid: process.id, processStartTicks, target: 1n, agent: 'a', rule: 'r', reason: 'test', operation: '0' };
}

async function swapper(): Promise<Program> {
  const program = new Program('python3', [join(FIXTURES, 'swap.py')]);
  await program.line(/^ready/);
  return program;
}

const pidOf = (line: string) => Number(line.split(' ')[1]);

test(`of ${ROUNDS} processes whose id was given away after they were identified, not one stranger is written`, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'taut-ids-'));
  try {
    using ledger = new Ledger(dir);
    await using program = await swapper();
    for (let round = 0; round < ROUNDS; ) {
      const pid = pidOf(await ask(program, 'make'));
      using process = new ProcHandle(pid);
      const order = orderFor(process);
      const converger = new Converger(timerSlack, ledger, process, order, undefined);
      if (round % 2 === 0) {
        // Identified, then swapped: nothing may be written at all.
        if (pidOf(await ask(program, 'swap')) !== pid) continue;
        converger.run();
        converger.add([{ tid: pid, maker: pid }]);
        expect(slacks(pid)).toEqual([50_000]);
      } else {
        // Tuned, then swapped, and the stranger has the very value that restoring looks for.
        converger.run();
        expect(slacks(pid)).toEqual([1]);
        const swapped = pidOf(await ask(program, 'swap'));
        ledger.remove(swapped === pid ? [] : ledger.entries());
        if (swapped !== pid) continue;
        using stranger = new ProcHandle(pid);
        timerSlack.write(stranger, 1n);
        const [result] = restoreEntries(ledger, [timerSlack], ledger.entries(), { process });
        expect(result?.outcome).toBe('vanished');
        expect(slacks(pid)).toEqual([1]);
      }
      expect(ledger.count()).toBe(0);
      round++;
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}, 400_000);

test('a child whose id was given away after the kernel reported it is not written, though it has the very value', async () => {
  await using program = await swapper();
  const child = pidOf(await ask(program, 'make'));
  using first = new ProcHandle(child);
  const { startTicks } = first.stat();
  const upTicks = () => Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 100;
  await until('the clock has moved on', () => upTicks() > startTicks + 2);
  const stranger = pidOf(await ask(program, 'swap'));
  expect(stranger).toBe(child);
  using handle = new ProcHandle(stranger);
  timerSlack.write(handle, 1n);
  const inheritance = { target: 1n, original: 50_000n, sinceTicks: 0 };
  const containment = new Containment(timerSlack);
  expect(containment.born({ tid: child, startTicks }, inheritance)).toBe(false);
  expect(slacks(stranger)).toEqual([1]);
  expect(containment.born({ tid: stranger, startTicks: handle.stat().startTicks }, inheritance)).toBe(true);
  expect(slacks(stranger)).toEqual([50_000]);
});
