/** Helpers of the guard's tests: they start an agent, find its guard, and check that everything is put back. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Ledger } from '../../src/actuator/ledger.ts';
import type { StatusDocument } from '../../src/agents/status.ts';
import { ProcHandle } from '../../src/proc/handle.ts';
import { tell } from './conversation.ts';
import { Program, slacks, until } from './program.ts';
import { sleeper } from './sleeper.ts';
import { FIXTURES, type Sandbox } from './taut.ts';

export const ORIGINALS = [7777, 50_000, 50_000, 50_000];
export const TUNED = [1, 1, 1, 1];

export async function agentOf(sandbox: Sandbox): Promise<Program> {
  const agent = await sleeper(sandbox);
  for (let i = 0; i < 3; i++) await tell(agent, 'thread');
  await tell(agent, 'slack 7777');
  return agent;
}

export function isRunning(pid: number): boolean {
  try {
    using process = new ProcHandle(pid);
    return !process.hasEnded();
  } catch {
    return false;
  }
}

export const isTuned = (agent: Program) => until('the agent is tuned', () => slacks(agent.pid).every((ns) => ns === 1));

export async function guardOf(sandbox: Sandbox): Promise<number> {
  const { guard } = await sandbox.json<StatusDocument>('status');
  if (!guard) throw new Error('there is no guard');
  return guard.pid;
}

/** Checks that the guard has put everything back: the ledger is only read, nothing is restored here. */
export async function isPutBack(sandbox: Sandbox, agent: Program, guard: number): Promise<void> {
  await until('the guard has ended', () => !isRunning(guard));
  expect(slacks(agent.pid)).toEqual(ORIGINALS);
  using ledger = new Ledger(sandbox.stateDir);
  expect(ledger.entries()).toEqual([]);
}

/** Process ids of the guards of a process, found by their command lines. */
export function guardsOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const [said] = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
        return said === `taut-guard of ${pid}`;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** An application that uses the package and has tuned the agent. */
export async function applicationOf(sandbox: Sandbox, agent: Program, env = process.env): Promise<Program> {
  const script = join(FIXTURES, 'application.ts');
  const application = new Program(process.execPath, [script, sandbox.stateDir, String(agent.pid)], env, sandbox.dir);
  await application.line(/^guard/);
  await isTuned(agent);
  return application;
}
