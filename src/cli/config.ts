import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import { importAgentSight } from '../config/importAgentSight.ts';
import { loadConfig } from '../config/load.ts';
import { configSchema } from '../config/schema.ts';
import { CliError, EXIT } from './exit.ts';
import { printJson } from './options.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('check, convert and describe configuration files');
  config
    .command('check')
    .description('validate a configuration; exits with 2 and the place of each mistake')
    .argument('<file>', 'YAML or JSON')
    .action((file: string) => {
      const { rules } = loadConfig(file);
      process.stdout.write(`${file}: good; ${rules.length} rules of its own\n`);
    });
  config
    .command('import')
    .description('convert an AgentSight configuration; what has no meaning here is listed on standard error')
    .argument('<file>', 'JSON')
    .addHelpText('after', '\nExamples:\n  taut config import /etc/agentsight/config.json > taut.yaml')
    .action((file: string) => {
      const { config: imported, leftOut } = read(file);
      for (const line of leftOut) process.stderr.write(`taut: left out: ${line}\n`);
      process.stdout.write(stringify(imported));
    });
  config
    .command('schema')
    .description('the JSON Schema of a configuration, for editors')
    .action(() => printJson(z.toJSONSchema(configSchema, { io: 'input' })));
}

function read(file: string): ReturnType<typeof importAgentSight> {
  try {
    return importAgentSight(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new CliError(`${file} is no AgentSight configuration: ${what}`, EXIT.usage);
  }
}
