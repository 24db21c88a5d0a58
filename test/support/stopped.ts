/** What is to be seen from outside of a taut that may not answer. */
import { readFileSync } from 'node:fs';
import { Ledger } from '../../src/actuator/ledger.ts';
import { ledgerExists } from '../../src/actuator/ledgerFile.ts';

/** How many entries the ledger of its state directory has. */
export function onRecord({ stateDir }: { readonly stateDir: string }): number {
  if (!ledgerExists(stateDir)) return 0;
  using ledger = new Ledger(stateDir);
  return ledger.count();
}

/** Whether a process is stopped, as by SIGSTOP. */
export const isStopped = (pid: number) => / T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
