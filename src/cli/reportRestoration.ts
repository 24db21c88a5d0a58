import { Operations } from '../agents/operations.ts';
import { type Restoration, reportRestored } from '../agents/reportRestored.ts';
import type { Log } from '../util/log.ts';
import { startOwn } from './startOwn.ts';

/**
 * Tells the backends what was put back without a daemon. Everything is put back by then: a slow backend delays only the
 * end of the process, and only up to the export timeout.
 */
export async function reportRestoration(restoration: Restoration, stateDir: string, log: Log): Promise<void> {
  try {
    await using _telemetry = await startOwn(stateDir, { onWarning: (message) => log.warn(message) });
    reportRestored(new Operations('none'), restoration);
  } catch (error) {
    log.warn(`this was done, but no backend is told: ${(error as Error).message.replaceAll('\n', '; ')}`);
  }
}
