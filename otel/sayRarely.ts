import type { DiagLogger } from '@opentelemetry/api';

const AGAIN_AFTER_MS = 60_000;
const KEPT = 100;

/** The SDK's own complaints as warnings; the same one once a minute, however often it comes. */
export function sayRarely(say: (message: string) => void, now: () => number = () => performance.now()): DiagLogger {
  const last = new Map<string, number>();
  const warn = (message: string) => {
    const text = readable(message);
    const before = last.get(text);
    if (before !== undefined && now() - before < AGAIN_AFTER_MS) return;
    if (last.size >= KEPT) last.clear();
    last.set(text, now());
    say(`telemetry: ${text}`);
  };
  return { error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} };
}

/** The SDK's global error handler hands over errors as JSON with their stacks. */
function readable(message: string): string {
  try {
    const error = JSON.parse(message) as { message?: string; code?: string; name?: string };
    return error.message || error.code || error.name || message;
  } catch {
    return message;
  }
}
