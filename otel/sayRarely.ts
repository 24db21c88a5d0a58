import { AsyncLocalStorage } from 'node:async_hooks';
import type { DiagLogger } from '@opentelemetry/api';
import { readable } from './readable.ts';

const AGAIN_AFTER_MS = 60_000;
const KEPT = 100;

/** What an export that taut tells of itself answers to the SDK, so that the SDK's own words on it are left out. */
export const TOLD = 'taut told this already';

/** Which export is under way: the SDK's complaints about an answer don't say, and have no argument that could. */
export const exporting = new AsyncLocalStorage<string>();

/** Says a line once a minute at most, however often it comes. */
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

/** The SDK's own complaints as warnings, with all that they were given: namespace, text, details. */
export function complaints(say: (text: string) => void): DiagLogger {
  const warn = (...parts: unknown[]) => {
    const text = readable(parts);
    // An export that takes long is told of when it has failed, with its reason.
    if (text.includes(TOLD) || /metrics export timed out after/.test(text)) return;
    const where = exporting.getStore();
    say(where === undefined ? text : `${where}: ${text}`);
  };
  return { error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} };
}
