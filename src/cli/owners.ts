/** The tauts that share a state directory: its daemon, and each `taut run`. */
import type { LedgerEntry } from '../actuator/ledger.ts';
import { isOwnerAlive, type Owner, ownerPid } from '../actuator/owner.ts';
import type { Restored } from '../actuator/restore.ts';
import type { StatusDocument } from '../agents/status.ts';
import { askAt } from './control.ts';
import { runSocketPath, runsOf } from './sockets.ts';
import { socketPath } from './stateDir.ts';

/** The status of each `taut run` that answers. */
export async function statusOfRuns(stateDir: string): Promise<StatusDocument[]> {
  const asked = runsOf(stateDir).map((pid) => askAt<StatusDocument>(runSocketPath(stateDir, pid), { op: 'status' }));
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? (answer.value ?? []) : []));
}

/** The status of a whole state directory. The tracer's status comes from the daemon, if one runs. */
export function withRuns(document: StatusDocument, runs: readonly StatusDocument[]): StatusDocument {
  return {
    ...document,
    tracer: document.tracer ?? runs[0]?.tracer ?? null,
    runs: runs.flatMap(({ daemon, guard }) => (daemon ? { ...daemon, guard } : [])),
    agents: [...document.agents, ...runs.flatMap(({ agents }) => agents)],
  };
}

/** Has every taut of a state directory look at the kill switch. Resolves when each has done so, or does not answer. */
export async function tellSwitched(stateDir: string): Promise<void> {
  const paths = [socketPath(stateDir), ...runsOf(stateDir).map((pid) => runSocketPath(stateDir, pid))];
  await Promise.allSettled(paths.map((path) => askAt(path, { op: 'switch' })));
}

/** Asks each living taut to put back the threads of its ledger entries. `say` reports a taut that does not answer. */
export async function askOwners(
  stateDir: string,
  entries: readonly LedgerEntry[],
  say: (message: string) => void,
): Promise<Restored[]> {
  const owners = new Map<Owner, Set<number>>();
  for (const { owner, pid } of entries) owners.set(owner, (owners.get(owner) ?? new Set()).add(pid));
  const asked = [...owners].map(([owner, pids]) => askOwner(stateDir, owner, [...pids], say));
  return (await Promise.all(asked)).flat();
}

async function askOwner(
  stateDir: string,
  owner: Owner,
  pids: readonly number[],
  say: (message: string) => void,
): Promise<Restored[]> {
  const taut = ownerPid(owner);
  if (taut === undefined || !isOwnerAlive(owner)) return [];
  const path = runsOf(stateDir).includes(taut) ? runSocketPath(stateDir, taut) : socketPath(stateDir);
  const without = (why: string) =>
    say(`taut ${taut} ${why}: its agents are put back without it, and it may tune them again`);
  try {
    const answer = await askAt<Restored[]>(path, { op: 'restore', pids: [...pids] });
    if (!answer) without('can not be reached');
    return answer ?? [];
  } catch (error) {
    without(`does not do it (${(error as Error).message})`);
    return [];
  }
}
