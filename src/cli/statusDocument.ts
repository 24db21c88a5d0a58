import { countUnwritable, Ledger, ledgerExists, ledgerPath } from '../actuator/ledger.ts';
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
    agents: running?.watcher.agents() ?? [],
    guard: guardStatus(running?.watcher.guardPid),
    ledger: { path: ledgerPath(stateDir), ...countEntries(stateDir, open) },
  };
}

function guardStatus(pid: number | undefined): StatusDocument['guard'] {
  return pid === undefined ? null : { pid };
}

/** Also where nothing can be written: status has an answer on a full disk. */
function countEntries(stateDir: string, open: Ledger | undefined): Omit<StatusDocument['ledger'], 'path'> {
  try {
    if (open) return { entries: open.count() };
    if (!ledgerExists(stateDir)) return { entries: 0 };
    using ledger = new Ledger(stateDir);
    return { entries: ledger.count() };
  } catch {
    try {
      return { entries: countUnwritable(stateDir) };
    } catch (error) {
      return { entries: null, problem: (error as Error).message };
    }
  }
}
