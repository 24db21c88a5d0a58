import { AsyncLocalStorage } from 'node:async_hooks';
import type { DiagLogger } from '@opentelemetry/api';
import { readable } from './readable.ts';

const AGAIN_AFTER_MS = 60_000;
const KEPT = 100;

/** Error text of a failed export that taut has reported itself; it marks the SDK's message about it as redundant. */
export const TOLD = 'taut told this already';

/** The export that is under way. The SDK's complaints about an answer do not name it, and no argument can carry it. */
export const exporting = new AsyncLocalStorage<string>();

/** Reports each line at most once a minute. */
export function rarely(say: (message: string) => void, now: () => number = () => performance.now()) {
  const last = new Map<string, number>();
  return (text: string): void => {
    const before = last.get(text);
    if (before !== undefined && now() - before < AGAIN_AFTER_MS) return;
    if (last.size >= KEPT) last.clear();
    last.set(text, now());
    say(`telemetry: ${text}`);
  };
}

/**
 * Reports the SDK's own complaints as warnings, with all their arguments: namespace, text, details.
 * @param detail what it says beside complaints; without it that is left out.
 */
export function complaints(say: (text: string) => void, detail: (text: string) => void = () => {}): DiagLogger {
  const warn = (...parts: unknown[]) => {
    const text = readable(parts);
    // A slow export is reported when it has failed, with the reason.
    if (text.includes(TOLD) || /metrics export timed out after/.test(text)) return;
    // What is lost at the very end is counted when no meter counts any more; the sum is said.
    if (/^A shutdown MeterProvider/.test(text)) return;
    const where = exporting.getStore();
    say(where === undefined ? text : `${where}: ${text}`);
  };
  const more = (...parts: unknown[]) => detail(readable(parts));
  return { error: warn, warn, info: more, debug: more, verbose: more };
}
