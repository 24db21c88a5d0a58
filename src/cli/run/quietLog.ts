/** What `taut run` says on a terminal that its command draws on: what it has to say once the command is started, when that has ended. */
import { createLog, type Log } from '../../util/log.ts';
import type { CommonOptions } from '../given.ts';
import { isTerminal, printError } from '../output.ts';

/** Lines that are kept; of those that come later it is said how many there were. */
const KEPT = 200;

export interface QuietLog extends Log {
  /** The command draws now. */
  hush(): void;
  /** It has ended: says what was kept. */
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
