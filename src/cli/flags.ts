import type { Command } from 'commander';
import { KNOBS } from '../actuator/knobs.ts';
import { EXIT } from './exit.ts';
import { nameOf, readText, sayFindings, verdict } from './findings.ts';
import { withSetting } from './options.ts';
import { printLine } from './output.ts';

export function addFlags(program: Command): void {
  const flags = program.command('flags').description('check feature flag files');
  const check = flags
    .command('check')
    .description('say each mistake of a flag file with its place, and what is allowed but most likely not meant')
    .argument('<file>', "JSON in flagd's format; - is standard input")
    .option('--strict', 'exit with 1 when there are warnings')
    .addHelpText(
      'after',
      `
Mistakes exit with 2: such a file stops the start of taut watch --flags.
Warnings exit with 0.

Examples:
  taut flags check flags.json
  jq .production all.json | taut flags check --strict -`,
    );
  withSetting(check, 'flagPrefix').action(async (file: string, options: { strict?: boolean; flagPrefix?: string }) => {
    const { flagFindings } = await import('../gate/flagFindings.ts'); // the help needs none
    const { broken, mistakes, warnings } = flagFindings(readText(file), nameOf(file), KNOBS, options.flagPrefix);
    const wrong = [...broken, ...mistakes];
    sayFindings(wrong, warnings);
    if (wrong.length > 0) process.exitCode = EXIT.usage;
    else if (options.strict && warnings.length > 0) process.exitCode = EXIT.failed;
    if (wrong.length === 0) printLine(`${nameOf(file)}: ${verdict(warnings)}`);
  });
}
