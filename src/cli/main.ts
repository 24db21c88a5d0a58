#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load.ts';
import { addDoctor } from './doctor.ts';
import { addDemo } from './demo.ts';
import { CliError, EXIT } from './exit.ts';
import { addExplain } from './explain.ts';
import { addRestore } from './restore.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { version } from './version.ts';
import { addAttach, addWatch } from './watch.ts';
import { addConfig } from './config.ts';

const program = new Command('taut')
  .description('Finds AI agent processes, measures how late the kernel wakes them, and tightens their timer slack where told to.')
  .version(version())
  .showHelpAfterError('(taut <command> --help shows options and examples)')
  .exitOverride();

for (const add of [addWatch, addRun, addAttach, addStatus, addExplain, addRestore, addDoctor, addConfig, addDemo])
  add(program);
for (const command of program.commands) command.copyInheritedSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCode(error);
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError || error instanceof ConfigError) {
    process.stderr.write(`taut: ${error.message}\n`);
    return error instanceof CliError ? error.exitCode : EXIT.usage;
  }
  process.stderr.write(`taut: ${error instanceof Error ? (process.env['TAUT_DEBUG'] ? error.stack : error.message) : error}\n`);
  return EXIT.failed;
}
