import type { Ledger } from '../actuator/ledger.ts';
import { ledgerPath } from '../actuator/ledgerFile.ts';
import { readOff } from '../actuator/off.ts';
import type { StatusDocument } from '../agents/status.ts';
import type { Watcher } from '../agents/watcher.ts';
import { type CoolDown, describeUntil, readCoolDowns } from '../gate/coolDowns.ts';
import { NoAccess, openLedger } from './access.ts';

interface Running {
  readonly daemon: StatusDocument['daemon'];
  readonly watcher: Watcher;
  readonly flagProvider?: StatusDocument['flagProvider'] | undefined;
}

/** The document of `status --json`; without a daemon, only the ledger's part is filled. */
export function statusDocument(stateDir: string, open?: Ledger, running?: Running): StatusDocument {
  return {
    access: 'full',
    off: readOff(stateDir) ?? null,
    coolDowns: readCoolDowns(stateDir).map(coolDownStatus),
    daemon: running?.daemon ?? null,
    flagProvider: running?.flagProvider ?? null,
    tracer: running?.watcher.measurement.status() ?? null,
    runs: [],
    agents: running?.watcher.agents() ?? [],
    guard: guardStatus(running?.watcher.guardPid),
    ledger: { path: ledgerPath(stateDir), ...countEntries(stateDir, open) },
  };
}

function coolDownStatus(coolDown: CoolDown): StatusDocument['coolDowns'][number] {
  return { pid: coolDown.agent?.pid ?? null, reason: describeUntil(coolDown) };
}

function guardStatus(pid: number | undefined): StatusDocument['guard'] {
  return pid === undefined ? null : { pid };
}

/** `entries` is null when this user may not know it. Works also where nothing can be written, as on a full disk. */
function countEntries(stateDir: string, open: Ledger | undefined): Omit<StatusDocument['ledger'], 'path'> {
  try {
    if (open) return { entries: open.count() };
    using ledger = openLedger(stateDir);
    const problem = ledger?.lost.join('; ');
    return { entries: ledger?.count() ?? 0, ...(problem && { problem: `${ledgerPath(stateDir)}: ${problem}` }) };
  } catch (error) {
    if (error instanceof NoAccess) return { entries: null };
    return { entries: null, problem: (error as Error).message };
  }
}
