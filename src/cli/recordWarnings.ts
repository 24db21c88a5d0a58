/** taut's own warnings and errors, as log records: who reads a backend sees what the terminal says. */
import type { Logger, LogRecord } from '@opentelemetry/api';
import { tautLogger } from '../telemetry/scope.ts';
import { SEVERITY, severityText } from '../telemetry/severity.ts';
import type { Log } from '../util/log.ts';
import { printable } from '../util/printable.ts';

/** Most records of each span of time: whoever makes taut warn must not fill a backend. */
const MOST = 100;
const SPAN_MS = 60_000;
const NUMBERS = { warn: SEVERITY.WARN, error: SEVERITY.ERROR } as const;

export interface Recorded {
  /** The same log, whose warnings and errors are records as well. */
  readonly log: Log;
  /** Telemetry has started: records that wait are emitted, and later ones at once. */
  begin(): void;
}

/** @param now milliseconds of a clock that never goes back. */
export function recordWarnings(log: Log, now: () => number = () => performance.now()): Recorded {
  const waiting: LogRecord[] = [];
  // The one of the beginning: a provider that has ended complains when it is asked for a logger.
  let logger: Pick<Logger, 'emit'> | undefined;
  let [since, count, left] = [now(), 0, 0];
  const emit = (level: keyof typeof NUMBERS, message: string) => {
    const severityNumber = NUMBERS[level];
    const written = { severityNumber, severityText: severityText(severityNumber), body: printable(message) };
    const record = { ...written, timestamp: Date.now() };
    if (logger) logger.emit(record);
    else waiting.push(record);
  };
  const bounded = (level: keyof typeof NUMBERS) => (message: string) => {
    log[level](message);
    if (now() - since >= SPAN_MS) {
      if (left > 0) emit('warn', `${left} more warnings were only logged`);
      [since, count, left] = [now(), 0, 0];
    }
    if (++count <= MOST) emit(level, message);
    else left++;
  };
  const begin = () => {
    logger = tautLogger();
    for (const record of waiting.splice(0)) logger.emit(record);
  };
  return { log: { ...log, warn: bounded('warn'), error: bounded('error') }, begin };
}
