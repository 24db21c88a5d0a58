import { Ledger, ledgerExists, ledgerPath } from '../actuator/ledger.ts';
import type { StatusDocument } from '../status.ts';
import type { Watcher } from '../watcher.ts';

interface Running {
  readonly daemon: StatusDocument['daemon'];
  readonly watcher: Watcher;
}

/** `status --json`; without a daemon, what the ledger alone can tell. */
export function statusDocument(stateDir: string, open?: Ledger, running?: Running): StatusDocument {
  return {
    daemon: running?.daemon ?? null,
    tracer: running?.watcher.tracerStatus() ?? null,
    runs: [],
    agents: running?.watcher.agents() ?? [],
    ledger: { path: ledgerPath(stateDir), entries: countEntries(stateDir, open) },
  };
}

function countEntries(stateDir: string, open: Ledger | undefined): number {
  if (open) return open.count();
  if (!ledgerExists(stateDir)) return 0;
  using ledger = new Ledger(stateDir);
  return ledger.count();
}
