/** The commands, and what their errors mean to the shell. */
import { Command, CommanderError, Option } from 'commander';
import { TelemetryConfigError } from '../../otel/environment.ts';
import { ConfigError } from '../config/load.ts';
import { printableLines } from '../printable.ts';
import { bareOption, type CommandShape } from './bareOption.ts';
import { addConfig } from './config.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { CliError, EXIT } from './exit.ts';
import { addExplain } from './explain.ts';
import { addFlags } from './flags.ts';
import { HELP, OVERVIEW } from './help.ts';
import { printError, printLine, printText } from './output.ts';
import { addRestore } from './restore.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { version } from './version.ts';
import { addAttach, addWatch } from './watch.ts';

const program = new Command('taut')
  .description(
    'Finds AI agent processes, measures how late the kernel wakes them, and tightens their timer slack where told to.',
  )
  .version(version(), '-v, --version', 'print the version')
  .configureHelp(HELP)
  .addHelpText('after', OVERVIEW)
  .addOption(new Option('-V').hideHelp())
  .on('option:V', () => {
    printLine(version());
    throw new CommanderError(EXIT.done, 'commander.version', version());
  })
  .enablePositionalOptions()
  .configureOutput({
    writeOut: (text) => printText(text.trimEnd()),
    writeErr: (text) => printableLines(text.trimEnd()).forEach(printError),
    outputError: (text) => sayError(text.trimEnd()),
  })
  .showHelpAfterError('(taut <command> --help shows options and examples)')
  .exitOverride();

for (const add of [
  addWatch,
  addRun,
  addAttach,
  addStatus,
  addExplain,
  addRestore,
  addDoctor,
  addConfig,
  addFlags,
  addDemo,
])
  add(program);

program
  .command('version')
  .description('print the version')
  .action(() => printLine(version()));

/** Runs the command line; sets the process's exit code, where it is another than 0. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(bareOption(argv, shapeOf));
  } catch (error) {
    const code = exitCode(error);
    if (code !== EXIT.done) process.exitCode = code;
  }
}

function shapeOf(name: string): CommandShape | undefined {
  const command = program.commands.find((one) => one.name() === name);
  if (!command?.options.some(({ optional }) => optional)) return undefined;
  const takesValue = new Set(command.options.filter(({ required }) => required).map(({ long }) => long ?? ''));
  const argument = command.registeredArguments[0]?.name();
  return { takesValue, takes: argument === 'pid' ? 'pids' : argument === 'command' ? 'command' : 'nothing' };
}

function exitCode(error: unknown): number {
  // Ending failed after the job had: both are said, the job's counts.
  if (error instanceof SuppressedError) {
    exitCode(error.error);
    return exitCode(error.suppressed);
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError || error instanceof ConfigError || error instanceof TelemetryConfigError) {
    sayError(`taut: ${error.message}`);
    return error instanceof CliError ? error.exitCode : EXIT.usage;
  }
  const text = error instanceof Error ? (process.env['TAUT_DEBUG'] && error.stack) || error.message : error;
  sayError(`taut: ${text}`);
  return EXIT.failed;
}

/** An error may have several lines, and quote what is not taut's: only the first looks like a message of taut's. */
function sayError(message: string): void {
  const [first = '', ...more] = message.split('\n');
  printError(first);
  for (const line of more) printError(`  ${line}`);
}
