import type { Command } from 'commander';
import { procLack } from '../proc/whole.ts';
import type { TuneOptions } from './given.ts';
import { withCommon, withTuning } from './options.ts';
import { printError } from './output.ts';
import { runCommand } from './run/command.ts';
import { become } from './run/held.ts';

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('start a command as an agent, and watch just it and what it starts; exits with its exit code')
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
The command runs whatever becomes of taut: any number of them at once, without
privilege, with a state directory that can't be written. What taut can't do is
said on standard error. The exit code is the command's: 128 and the signal's
number when one ended it, 127 when there is no such program. Only wrong usage or
configuration, found before the command starts, has an exit code of taut's: 2.

Another taut that tunes on this host takes the command over: its rules and flags
decide, and it puts back. So does a taut watch of the same state directory where
nothing is to be tuned.

Examples:
  taut run -- claude
  taut run --optimize-timer-slack -- node my-agent.js --fast`,
    );
  withTuning(withCommon(command)).action(async (words: string[], options: TuneOptions) => {
    const lack = procLack();
    if (lack) become(words, `${lack.why}; ${lack.mend}`, (message) => printError(`taut: warn: ${message}`));
    await runCommand(words, options);
  });
}
