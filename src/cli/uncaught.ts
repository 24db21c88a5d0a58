import type { Log } from '../util/log.ts';

/**
 * Has errors that nobody caught said, unhandled rejections too, and then `act` done, at once and synchronously: what an error
 * must not prevent. `so` is what else is to be said of it.
 */
export function onUncaught(log: Log, so: string, act: () => void): void {
  process.on('uncaughtException', (error: unknown) => {
    const what = error instanceof Error ? error.stack : String(error);
    log.error(`an error that taut did not expect, please report it${so}: ${what}`);
    try {
      act();
    } catch (failure) {
      log.error(`putting back: ${(failure as Error).message}`);
    }
  });
}
