import type { Log } from '../util/log.ts';
import { withSourcePlaces } from './sourcePlaces.ts';

/**
 * Logs uncaught errors and unhandled rejections, and then calls `act` at once, synchronously.
 * @param so what the message says besides.
 * @param act work that must still happen after an error.
 */
export function onUncaught(log: Log, so: string, act: () => void): void {
  process.on('uncaughtException', (error: unknown) => {
    const what = error instanceof Error ? withSourcePlaces(error.stack ?? error.message) : String(error);
    log.error(`an error that taut did not expect, please report it${so}: ${what}`);
    try {
      act();
    } catch (failure) {
      log.error(`putting back: ${(failure as Error).message}`);
    }
  });
}
