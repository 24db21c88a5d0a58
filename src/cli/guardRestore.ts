/**
 * The guard runs `guardRestore.cjs STATE-DIR OWNER`: it puts back the changes of one taut that is gone. It imports only
 * what it needs for that: it starts in less time than `taut restore`.
 */
import { KNOBS } from '../actuator/knobs.ts';
import { Ledger } from '../actuator/ledger.ts';
import { ledgerExists } from '../actuator/ledgerFile.ts';
import { restoreEntries } from '../actuator/restore.ts';
import { nowMs } from '../proc/clock.ts';
import { createLog } from '../util/log.ts';
import { EXIT } from './exit.ts';
import { leaveStreamsAlone } from './standardStreams.ts';

leaveStreamsAlone();

// A service manager sends these to the processes that its service left behind, and this is one of them.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => {});

void main(process.argv);

async function main([, , stateDir = '', owner = '']: readonly string[]): Promise<void> {
  await restore(stateDir, owner);
  process.exit(); // an exporter's sockets must not keep the process alive
}

async function restore(stateDir: string, owner: string): Promise<void> {
  if (!ledgerExists(stateDir)) return;
  using ledger = Ledger.forRestoring(stateDir);
  const startMs = nowMs();
  // Where the record can't be written, what is put back stays on it, which does no harm.
  const results = restoreEntries(ledger, KNOBS, ledger.entries({ owner }), { onUnremoved: () => {} });
  // The guard tries again.
  if (results.some(({ outcome }) => outcome === 'failed')) process.exitCode = EXIT.failed;
  const endMs = nowMs();
  if (results.length > 0) {
    const { reportRestoration } = await import('./reportRestoration.ts');
    await reportRestoration(
      { results, reason: 'taut was killed', startMs, endMs },
      stateDir,
      createLog('error', () => {}),
    );
  }
}
