import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import { importAgentSight } from '../config/importAgentSight.ts';
import { loadConfig } from '../config/load.ts';
import { configSchema } from '../config/schema.ts';
import { printableLines } from '../printable.ts';
import { CliError, EXIT } from './exit.ts';
import { printError, printJson, printLine, printText } from './output.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('check, convert and describe configuration files');
  config
    .command('check')
    .description('validate a configuration; exits with 2 and the place of each mistake')
    .argument('<file>', 'YAML or JSON')
    .action((file: string) => {
      const { rules } = loadConfig(file);
      printLine(`${file}: good; ${rules.length} rules of its own`);
    });
  config
    .command('import')
    .description('convert an AgentSight configuration; what has no meaning here is listed on standard error')
    .argument('<file>', 'JSON')
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

/** With every text in double quotes where one is not printable: so YAML has escapes for it, the same that are printed. */
function yamlText(document: unknown): string {
  const text = stringify(document).trimEnd();
  const isPrintable = printableLines(text).join('\n') === text;
  return isPrintable ? text : stringify(document, { defaultStringType: 'QUOTE_DOUBLE' }).trimEnd();
}

function read(file: string): ReturnType<typeof importAgentSight> {
  try {
    return importAgentSight(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CliError(`${file} is no AgentSight configuration: ${what}`, EXIT.usage);
  }
}
