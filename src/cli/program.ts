/** The commands, and what their errors mean to the shell. */
import { Command, CommanderError } from 'commander';
import { bareOption } from './bareOption.ts';
import { CliError, EXIT } from './exit.ts';
import { version } from './version.ts';

const program = new Command('taut')
  .description(
    'Finds AI agent processes, measures how late the kernel wakes them, and tightens their timer slack where told to.',
  )
  .version(version())
  .enablePositionalOptions()
  .showHelpAfterError('(taut <command> --help shows options and examples)')
  .exitOverride();

/** Loaded when they are asked for: the command of `taut run` waits for what is loaded. In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  watch: async () => (await import('./watch.ts')).addWatch,
  run: async () => (await import('./run.ts')).addRun,
  attach: async () => (await import('./watch.ts')).addAttach,
  status: async () => (await import('./status.ts')).addStatus,
  explain: async () => (await import('./explain.ts')).addExplain,
  restore: async () => (await import('./restore.ts')).addRestore,
  doctor: async () => (await import('./doctor.ts')).addDoctor,
  config: async () => (await import('./config.ts')).addConfig,
  demo: async () => (await import('./demo.ts')).addDemo,
};

/** Only the command that is meant; all where that is not clear, for the help and for what was probably meant. */
async function addCommands([, , name = '']: readonly string[]): Promise<void> {
  const meant = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  for (const load of meant) (await load?.())?.(program);
}

/** Runs the command line; sets the process's exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  try {
    await addCommands(argv);
    await program.parseAsync(bareOption(argv));
  } catch (error) {
    process.exitCode = await exitCode(error);
  }
}

async function exitCode(error: unknown): Promise<number> {
  const { ConfigError } = await import('../config/load.ts');
  const { TelemetryConfigError } = await import('../../otel/environment.ts');
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError || error instanceof ConfigError || error instanceof TelemetryConfigError) {
    process.stderr.write(`taut: ${error.message}\n`);
    return error instanceof CliError ? error.exitCode : EXIT.usage;
  }
  process.stderr.write(
    `taut: ${error instanceof Error ? (process.env['TAUT_DEBUG'] ? error.stack : error.message) : error}\n`,
  );
  return EXIT.failed;
}
