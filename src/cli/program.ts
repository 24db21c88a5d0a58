/** The commands, and the exit codes of their errors. */
import { Command, CommanderError, Option } from 'commander';
import { TITLES } from '../actuator/knobNames.ts';
import { procLack } from '../proc/whole.ts';
import { printableLines } from '../util/printable.ts';
import { bareOption, type CommandShape } from './bareOption.ts';
import { CliError, EXIT } from './exit.ts';
import { HELP, OVERVIEW } from './help.ts';
import { printError, printLine, printText } from './output.ts';
import { settle } from './settled.ts';
import { withSourcePlaces } from './sourcePlaces.ts';
import { version } from './version.ts';

export const program = new Command('taut')
  .description(
    `Finds AI agent processes, measures how late the kernel wakes them, and tightens their ${TITLES} where told to.`,
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

/** In the order of the help. Each is loaded only when used, because the command of `taut run` waits for loading. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  watch: async () => (await import('./watch.ts')).addWatch,
  run: async () => (await import('./run.ts')).addRun,
  attach: async () => (await import('./watch.ts')).addAttach,
  status: async () => (await import('./status.ts')).addStatus,
  explain: async () => (await import('./explain.ts')).addExplain,
  restore: async () => (await import('./restore.ts')).addRestore,
  off: async () => (await import('./off.ts')).addOff,
  on: async () => (await import('./off.ts')).addOn,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  config: async () => (await import('./config.ts')).addConfig,
  flags: async () => (await import('./flags.ts')).addFlags,
  rollout: async () => (await import('./rollout.ts')).addRollout,
  demo: async () => (await import('./demo.ts')).addDemo,
  version: async () => addVersion,
};

/** Those that look at processes. `run` runs its command all the same, and the others look at files. */
const NEEDS_PROC: readonly string[] = ['watch', 'attach', 'status', 'explain', 'restore', 'doctor', 'demo'];

/** Options that need no command. */
const VERSION = ['-v', '-V', '--version'];

function addVersion(to: Command): void {
  to.command('version')
    .description('print the version')
    .action(() => printLine(version()));
}

/** Adds only the named command; for an unknown name, all commands: for the help and the suggestion of a similar one. */
export async function addCommands([, , name = '']: readonly string[]): Promise<void> {
  if (VERSION.includes(name)) return;
  const meant = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  for (const load of meant) (await load?.())?.(program);
}

/** Runs the command line; sets the exit code of the process when it is not 0. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await addCommands(argv);
    program.hook('preAction', async (_, command) => {
      const lack = NEEDS_PROC.includes(command.name()) ? procLack() : undefined;
      if (lack) throw new CliError(`${lack.why}; ${lack.mend}`, EXIT.host);
      await settle(command, { env: process.env });
    });
    await program.parseAsync(bareOption(argv, shapeOf));
  } catch (error) {
    await report(error);
  }
}

/** Says what ended a command, and sets the process's exit code. */
export async function report(error: unknown): Promise<void> {
  const code = await exitCode(error);
  if (code !== EXIT.done) process.exitCode = code;
}

export function shapeOf(name: string): CommandShape | undefined {
  const command = program.commands.find((one) => one.name() === name);
  if (!command?.options.some(({ optional }) => optional)) return undefined;
  const takesValue = new Set(command.options.filter(({ required }) => required).map(({ long }) => long ?? ''));
  const argument = command.registeredArguments[0]?.name();
  return { takesValue, takes: argument === 'pid' ? 'pids' : argument === 'command' ? 'command' : 'nothing' };
}

async function exitCode(error: unknown): Promise<number> {
  // The job failed, and then the clean-up: both are reported, the exit code is the job's.
  if (error instanceof SuppressedError) {
    await exitCode(error.error);
    return exitCode(error.suppressed);
  }
  const { ConfigError } = await import('../config/configError.ts');
  const { TelemetryConfigError } = await import('../../otel/environment.ts');
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError || error instanceof ConfigError || error instanceof TelemetryConfigError) {
    sayError(`taut: ${error.message}`);
    return error instanceof CliError ? error.exitCode : EXIT.usage;
  }
  const text =
    error instanceof Error
      ? (process.env['TAUT_DEBUG'] && error.stack && withSourcePlaces(error.stack)) || error.message
      : error;
  sayError(`taut: ${text}`);
  return EXIT.failed;
}

/** An error may have several lines and quote foreign text: only its first line looks like a message of taut. */
function sayError(message: string): void {
  const [first = '', ...more] = message.split('\n');
  printError(first);
  for (const line of more) printError(`  ${line}`);
}
