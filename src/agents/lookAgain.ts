/** Decides again on the agents when events were missed: any of them may run another program, or be denied, by now. */
import { nowMs } from '../proc/clock.ts';
import { Slices } from '../proc/slices.ts';
import { type Agents, LEFT } from './registry.ts';

/**
 * Lets go of agents that a rule denies now, of those that left the control group for which their rule asks, and of those
 * that run another executable and are no agents of their rule by it. An agent that runs the same executable under another
 * name stays one: it may have renamed itself. In slices, as there may be thousands.
 */
export async function lookAgain(agents: Agents): Promise<void> {
  const slices = new Slices();
  for (const agent of agents.all()) {
    await slices.next();
    const { pid } = agent.identity;
    if (agents.get(pid) !== agent) continue; // it was let go meanwhile
    const verdict = agents.decideAgain(pid, { source: 'scan', atMs: nowMs() });
    if (!verdict) continue;
    if (verdict.decision === 'deny') agents.letGo(pid, 'a rule denies it now');
    else if (agents.hasLeft(agent)) agents.letGo(pid, LEFT);
    else if (!agent.stays(verdict) && agent.runsAnotherExecutable()) agents.letGo(pid, 'it runs another program now');
  }
}
