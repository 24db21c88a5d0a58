/** Reads the rules again when their file changes and on SIGHUP. A file with a mistake changes nothing. */
import { ConfigError } from '../config/configError.ts';
import { compileRules, type RuleSet } from '../discovery/ruleSet.ts';
import { type FileState, onFileChange } from '../util/fileChanges.ts';
import type { Log } from '../util/log.ts';
import { readConfig } from './readConfig.ts';

const POLL_MS = 500;

/** The file of the rules, and its state just before it was read. */
export interface RulesFile {
  readonly path: string;
  readonly asRead: FileState;
}

/** Calls `use` with each new set of rules, one after the other. @returns stops that when it is disposed of. */
export function onNewRules(file: RulesFile | undefined, log: Log, use: (rules: RuleSet) => Promise<void>): Disposable {
  let last = Promise.resolve();
  const reload = () => {
    last = last.then(async () => {
      try {
        const config = await readConfig(file?.path);
        await use(compileRules(config));
        log.info(`rules read again: ${config.rules.length} of its own`);
      } catch (error) {
        const message = (error as Error).message.replaceAll('\n', '; ');
        if (error instanceof ConfigError) log.warn(`the rules stay as they were: ${message}`);
        else log.error(`the new rules could not be applied to every process: ${message}`);
      }
    });
  };
  process.on('SIGHUP', reload);
  const watch = file && onFileChange(file.path, file.asRead, POLL_MS, reload);
  return {
    [Symbol.dispose]() {
      process.off('SIGHUP', reload);
      watch?.[Symbol.dispose]();
    },
  };
}
