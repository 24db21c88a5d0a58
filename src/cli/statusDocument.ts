import { type Ledger, ledgerPath } from '../actuator/ledger.ts';
import type { StatusDocument } from '../status.ts';
import type { Watcher } from '../watcher.ts';
import { NoAccess, openLedger } from './access.ts';

interface Running {
  readonly daemon: StatusDocument['daemon'];
  readonly watcher: Watcher;
}

/** `status --json`; without a daemon, what the ledger alone can tell. */
export function statusDocument(stateDir: string, open?: Ledger, running?: Running): StatusDocument {
  return {
    access: 'full',
    daemon: running?.daemon ?? null,
    tracer: running?.watcher.tracerStatus() ?? null,
    agents: running?.watcher.agents() ?? [],
    ledger: { path: ledgerPath(stateDir), entries: open ? open.count() : countEntries(stateDir) },
  };
}

/** Null where it may not be known. */
function countEntries(stateDir: string): number | null {
  try {
    using ledger = openLedger(stateDir);
    return ledger?.count() ?? 0;
  } catch (error) {
    if (error instanceof NoAccess) return null;
    throw error;
  }
}
