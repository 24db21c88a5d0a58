/** Messages for the operator: lines on standard error, by level. Standard output is for `--json` and results. */
import { printable } from './printable.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Log = Record<LogLevel, (message: string) => void>;

/** A log that writes messages of the given level or above, each on one line, whatever text it quotes. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const from = LOG_LEVELS.indexOf(level);
  const at = (l: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(l) >= from) write(printable(`taut: ${l === 'info' ? '' : `${l}: `}${message}`));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
