import type { Command } from 'commander';
import { OPTIONS, TITLES } from '../actuator/knobNames.ts';
import type { TuneOptions } from './given.ts';
import { tuningExamples, wrapped } from './help.ts';
import { pid, withCommon, withJson, withTuning } from './options.ts';

const STREAM = 'what happens to agents (attach, tune, revert, release, end), one document a line,';

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .description(`find every agent of this host and measure it, until you end it; change ${TITLES} only when told to`)
    .addHelpText(
      'after',
      `
${wrapped(`Without ${OPTIONS} (or --optimize, or a feature flag) nothing is written to any process. What was written is put back when taut ends.`)}

Examples:
  taut watch                           measure every agent of this host
${tuningExamples(39)}
  taut watch --optimize                keep them responsive beside a build
  taut watch --optimize-timer-slack=10us
  taut watch --flags flags.json        let a feature flag decide, at any time
  taut watch --json | jq -c '{event, pid: .agent.pid}'
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 taut watch`,
    );
  withJson(withTuning(withCommon(command)), STREAM).action(async (options: TuneOptions) =>
    (await import('./watching.ts')).watch(options, { kind: 'host' }),
  );
}

export function addAttach(program: Command): void {
  const command = program
    .command('attach')
    .description('watch just these processes, whatever they are; ends when they have ended')
    .argument('<pid...>', 'process ids', (text: string, before: number[] = []) => [...before, pid(text)])
    .addHelpText('after', '\nExamples:\n  taut attach $(pidof claude)\n  taut attach 4711 --optimize-timer-slack=10us');
  withJson(withTuning(withCommon(command)), STREAM).action(async (pids: number[], options: TuneOptions) =>
    (await import('./watching.ts')).attach(pids, options),
  );
}
