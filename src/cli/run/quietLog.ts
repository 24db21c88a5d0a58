/** The log of `taut run`. On a terminal, where the command draws, it keeps messages until the command has ended. */
import { createLog, type Log } from '../../util/log.ts';
import type { CommonOptions } from '../given.ts';
import { isTerminal, printError } from '../output.ts';

/** Most lines that are kept; later lines are only counted. */
const KEPT = 200;

export interface QuietLog extends Log {
  /** The command draws from now on: keep messages. */
  hush(): void;
  /** The command has ended: print the kept messages. */
  tell(): void;
}

export function quietLog({ logLevel }: CommonOptions): QuietLog {
  let isHushed = false;
  let left = 0;
  const kept: string[] = [];
  const log = createLog(logLevel, (line) => {
    if (!isHushed) printError(line);
    else if (kept.length < KEPT) kept.push(line);
    else left++;
  });
  return {
    ...log,
    hush() {
      isHushed = isTerminal() && logLevel !== 'debug';
    },
    tell() {
      isHushed = false;
      for (const line of kept.splice(0)) printError(line);
      if (left > 0) printError(`taut: … and ${left} lines more; --log-level debug says everything at once`);
    },
  };
}
