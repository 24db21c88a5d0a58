import { join } from 'node:path';
import { startTelemetry } from '../../otel/sdk.ts';
import { Operations } from '../agents/operations.ts';
import { type Restoration, reportRestored } from '../agents/reportRestored.ts';
import { DEFAULTS } from '../config/defaults.ts';
import type { Log } from '../util/log.ts';
import { placeProblem } from '../util/writable.ts';
import { version } from './version.ts';

/**
 * Tells the backends what was put back without a daemon. Everything is put back by then: a slow backend delays only the
 * end of the process, and only up to the export timeout.
 */
export async function reportRestoration(restoration: Restoration, stateDir: string, log: Log): Promise<void> {
  try {
    await using _telemetry = await startTelemetry({
      ...{ env: process.env, stateDir, sinkProblem: placeProblem(join(stateDir, 'otlp')), serviceVersion: version() },
      ...{ spoolLimit: DEFAULTS.spoolLimit, spoolProblem: placeProblem(join(stateDir, 'spool')) },
      onWarning: (message) => log.warn(message),
    });
    reportRestored(new Operations('none'), restoration);
  } catch (error) {
    log.warn(`this was done, but no backend is told: ${(error as Error).message.replaceAll('\n', '; ')}`);
  }
}
