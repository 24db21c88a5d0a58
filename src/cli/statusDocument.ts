import { Ledger, ledgerExists, ledgerPath } from '../actuator/ledger.ts';
import type { AgentStatus, StatusDocument } from '../status.ts';

/** `status --json`; without a daemon, what the ledger alone can tell. */
export function statusDocument(
  daemon: StatusDocument['daemon'],
  agents: readonly AgentStatus[],
  stateDir: string,
  open?: Ledger,
): StatusDocument {
  return { daemon, agents, ledger: { path: ledgerPath(stateDir), entries: countEntries(stateDir, open) } };
}

function countEntries(stateDir: string, open: Ledger | undefined): number {
  if (open) return open.count();
  if (!ledgerExists(stateDir)) return 0;
  using ledger = new Ledger(stateDir);
  return ledger.count();
}
