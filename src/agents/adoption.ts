/** Takes over a process that `taut run` has started. */
import type { Adopted, Decisions } from '../discovery/decisions.ts';
import { nowMs } from '../proc/clock.ts';
import { ProcHandle } from '../proc/handle.ts';
import type { Agents } from './registry.ts';
import { type AgentStatus, agentStatus } from './status.ts';

/** The rules and the gate override what `taut run` asked for. @throws Error when the process can't be taken over. */
export async function adopt(process: Adopted, agents: Agents, decisions: Decisions): Promise<AgentStatus> {
  const { pid, startTicks } = process;
  using handle = new ProcHandle(pid);
  if (handle.stat().startTicks !== startTicks) throw new Error(`process ${pid} is another one now`);
  decisions.adopt(process);
  if (agents.has(pid)) await agents.gateAll();
  else await agents.attachIfAgent(pid, { source: 'scan', atMs: nowMs() });
  agents.joinRun(pid); // also what it started before taut was told
  const agent = agents.get(pid);
  if (agent) return agentStatus(agent);
  decisions.forget(pid);
  throw new Error('a rule denies it there, or it could not be attached to');
}
