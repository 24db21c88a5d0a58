import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import { BUILTIN_RULES } from '../config/builtinRules.ts';
import { importAgentSight } from '../config/importAgentSight.ts';
import { checkConfig } from '../config/load.ts';
import { configSchema } from '../config/schema.ts';
import { printableLines } from '../util/printable.ts';
import { addConfigShow } from './configShow.ts';
import { CliError, EXIT } from './exit.ts';
import { nameOf, readText, sayFindings, verdict } from './findings.ts';
import { printError, printJson, printLine, printText } from './output.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('check, convert and describe configuration files');
  config
    .command('check')
    .description('say each mistake of a configuration with its place, and what is allowed but most likely not meant')
    .argument('<file>', 'YAML or JSON; - is standard input')
    .option('--strict', 'exit with 1 when there are warnings')
    .addHelpText(
      'after',
      `
Mistakes exit with 2: such a file stops taut's start. Warnings exit with 0.

Examples:
  taut config check taut.yaml
  taut config import config.json | taut config check --strict -`,
    )
    .action(check);
  addConfigShow(config);
  config
    .command('import')
    .description('convert an AgentSight configuration; what has no meaning here is listed on standard error')
    .argument('<file>', 'JSON; - is standard input')
    .addHelpText('after', '\nExamples:\n  taut config import /etc/agentsight/config.json > taut.yaml')
    .action((file: string) => {
      const { config: imported, leftOut } = read(file);
      for (const line of leftOut) printError(`taut: left out: ${line}`);
      printText(yamlText(imported));
    });
  config
    .command('schema')
    .description('the JSON Schema of a configuration, for editors')
    .action(() => printJson(z.toJSONSchema(configSchema, { io: 'input' })));
}

/** Ids that are taken: those of the built-in rules, and `pid`, which is shown for a process that the operator named. */
const TAKEN_IDS = [...BUILTIN_RULES.map(({ id }) => id), 'pid'];

function check(file: string, options: { strict?: boolean }): void {
  const name = nameOf(file);
  const { config, warnings } = checkConfig(readText(file), name, { users: usersHere(), takenIds: TAKEN_IDS });
  sayFindings([], warnings);
  printLine(`${name}: ${verdict(warnings)}; ${config.rules.length} rules of its own`);
  if (options.strict && warnings.length > 0) process.exitCode = EXIT.failed;
}

/** User names of this host, which rules are compared with; undefined when /etc/passwd can't be read. */
function usersHere(): string[] | undefined {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    return lines.flatMap((line) => line.split(':')[0] || []);
  } catch {
    return undefined;
  }
}

/** Quotes every text when one is not printable: in double quotes YAML uses the same escapes as taut's output. */
function yamlText(document: unknown): string {
  const text = stringify(document).trimEnd();
  const isPrintable = printableLines(text).join('\n') === text;
  return isPrintable ? text : stringify(document, { defaultStringType: 'QUOTE_DOUBLE' }).trimEnd();
}

function read(file: string): ReturnType<typeof importAgentSight> {
  const text = readText(file);
  try {
    return importAgentSight(JSON.parse(text));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CliError(`${file} is no AgentSight configuration: ${what}`, EXIT.usage);
  }
}
