import type { Command } from 'commander';
import { type Check, examine } from './checks.ts';
import { EXIT } from './exit.ts';
import { type CommonOptions, withCommon, withJson } from './options.ts';
import { printJson, printLine } from './output.ts';

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('what can be measured and tuned on this host, and how to get what is missing')
    .addHelpText('after', '\nExamples:\n  taut doctor\n  taut doctor --json | jq ".checks[] | select(.ok | not)"');
  withJson(withCommon(command), 'the checks').action(async (options: CommonOptions) => {
    const { measure, tune, mode, checks } = await examine(options.stateDir);
    if (options.json) printJson({ measure, tune, mode, checks });
    else {
      for (const check of checks) describe(check).forEach(printLine);
      printLine(`measuring: ${measure ? 'yes' : 'no'} (mode ${mode}); tuning: ${tune ? 'yes' : 'no'}`);
    }
    if (mode !== 'full' || !measure || !tune) process.exitCode = EXIT.host;
  });
}

function describe({ name, ok, detail, mend }: Check): string[] {
  const found = `${ok ? 'ok     ' : 'missing'}  ${name}: ${detail}`;
  return ok || !mend ? [found] : [found, `         mend: ${mend}`];
}
