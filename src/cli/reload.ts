/** Reads the rules again when their file changes and on SIGHUP. A file with a mistake changes nothing. */
import { inspect } from 'node:util';
import { ConfigError } from '../config/configError.ts';
import type { Config } from '../config/schema.ts';
import { compileRules, type RuleSet } from '../discovery/ruleSet.ts';
import { type FileState, onFileChange } from '../util/fileChanges.ts';
import type { Log } from '../util/log.ts';
import { readConfig } from './readConfig.ts';

const POLL_MS = 500;

/** The keys beside the rules of which two configurations say something else. */
export function otherThanRules(before: Config, after: Config): string[] {
  const [was, is] = [before, after].map(
    ({ rules: _, builtin: __, ...others }) =>
      new Map(Object.entries(others).map(([key, value]) => [key, inspect(value)])),
  );
  return [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])].filter((key) => was?.get(key) !== is?.get(key));
}

/** The file of the rules, and its state just before it was read. */
export interface RulesFile {
  readonly path: string;
  readonly asRead: FileState;
}

/**
 * Calls `use` with each new set of rules, one after the other.
 * @param hearsHangUp whether SIGHUP is taut's. @returns stops that when it is disposed of.
 */
export function onNewRules(
  file: RulesFile | undefined,
  started: Config,
  log: Log,
  use: (rules: RuleSet) => Promise<void>,
  hearsHangUp: boolean,
): Disposable {
  let last = Promise.resolve();
  const reload = () => {
    last = last.then(async () => {
      try {
        const config = await readConfig(file?.path);
        await use(compileRules(config));
        log.info(`rules read again: ${config.rules.length} of its own`);
        const later = otherThanRules(started, config);
        if (later.length > 0)
          log.warn(`${later.join(', ')}: what the configuration says now counts from the next start`);
      } catch (error) {
        const message = (error as Error).message.replaceAll('\n', '; ');
        if (error instanceof ConfigError) log.warn(`the rules stay as they were: ${message}`);
        else log.error(`the new rules could not be applied to every process: ${message}`);
      }
    });
  };
  if (hearsHangUp) process.on('SIGHUP', reload);
  const watch = file && onFileChange(file.path, file.asRead, POLL_MS, reload);
  return {
    [Symbol.dispose]() {
      process.off('SIGHUP', reload);
      watch?.[Symbol.dispose]();
    },
  };
}
