import type { Command } from 'commander';
import type { Mode } from '../tracer/features.ts';
import { type Check, examine } from './checks.ts';
import { EXIT } from './exit.ts';
import type { CommonOptions } from './given.ts';
import { withCommon, withJson } from './options.ts';
import { printJson, printLine } from './output.ts';
import { describeTuning } from './tuningHere.ts';

export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('what can be measured and tuned on this host, and how to get what is missing')
    .addHelpText('after', '\nExamples:\n  taut doctor\n  taut doctor --json | jq ".checks[] | select(.ok | not)"');
  withJson(withCommon(command), 'the checks').action(async (options: CommonOptions) => {
    const { measure, tune, knobs, mode, checks } = await examine(options.stateDir);
    if (options.json) printJson({ measure, tune, knobs, mode, checks });
    else {
      for (const check of checks) describe(check).forEach(printLine);
      printLine(`measuring: ${describeMeasuring(measure, mode, checks)}; tuning: ${describeTuning(knobs)}`);
    }
    if (mode !== 'full' || !measure || knobs.some((knob) => !knob.tune)) process.exitCode = EXIT.host;
  });
}

/** Titles for people, by the check's name; JSON keeps the name. */
const TITLES: Readonly<Record<string, string>> = {
  canary: 'check of what is measured',
  ledger: 'record of what is changed',
};

function describeMeasuring(measure: boolean, mode: Mode, checks: readonly Check[]): string {
  if (mode === 'schedstat') return 'just the time spent waiting for a CPU (mode schedstat)';
  if (mode === 'none') return 'no';
  if (measure) return mode === 'full' ? 'yes, everything (mode full)' : 'yes, but not timers (mode wakeups)';
  const against = checks.find(({ ok, name }) => !ok && name === 'canary');
  return `no (see ${TITLES[against?.name ?? ''] ?? against?.name ?? 'above'})`;
}

function describe({ name, ok, detail, mend }: Check): string[] {
  const found = `${ok ? 'ok     ' : 'missing'}  ${TITLES[name] ?? name}: ${detail}`;
  return ok || !mend ? [found] : [found, `         mend: ${mend}`];
}
