import { type Command, Option } from 'commander';
import { parseMs } from '../config/values.ts';
import { CliError, EXIT } from './exit.ts';
import { argument, withJson } from './options.ts';
import { printJson, printLine } from './output.ts';
import { compare } from './rollout/bootstrap.ts';
import { collect } from './rollout/collect.ts';
import { Prometheus } from './rollout/prometheus.ts';
import { baselineOf, document, inWords } from './rollout/report.ts';

interface RolloutOptions {
  readonly prometheus: string;
  /** Milliseconds. */
  readonly since: number;
  readonly flag?: string;
  readonly against?: string;
  readonly json?: boolean;
}

export function addRollout(program: Command): void {
  const command = program
    .command('rollout')
    .description(
      'compare the variants of a feature flag over all hosts, from what their tauts have sent to a Prometheus',
    )
    .requiredOption('--prometheus <url>', 'its address, like http://127.0.0.1:9090')
    .addOption(
      new Option('--since <time>', 'how far back, like 30m or 7d')
        .argParser(argument(parseMs))
        .default(3_600_000, '1h'),
    )
    .option('--flag <key>', 'which flag, where several decide')
    .option('--against <variant>', 'the variant with which the others are compared: off, unless given')
    .addHelpText(
      'after',
      `
A difference is said only where its interval is clear of zero; else: can't tell.
TAUT_PROMETHEUS_HEADERS has headers to send, in the format of
OTEL_EXPORTER_OTLP_HEADERS: Authorization=Bearer%20TOKEN

Examples:
  taut rollout --prometheus http://127.0.0.1:9090
  taut rollout --prometheus http://127.0.0.1:9090 --since 7d --flag taut.optimize`,
    );
  withJson(command, 'the comparison').action(rollout);
}

async function rollout({ prometheus: address, since, flag, against, json }: RolloutOptions): Promise<void> {
  const prometheus = new Prometheus(address, process.env);
  const seconds = Math.round(since / 1_000);
  const until = new Date();
  const collected = await collect(prometheus, { seconds, flag }, until.getTime() / 1_000);
  const variants = [...collected.arms.keys()].sort();
  if (against !== undefined && !variants.includes(against))
    throw new CliError(`no agent has the variant ${against}; there are: ${variants.join(', ')}`, EXIT.usage);
  const baseline = against ?? baselineOf(variants);
  const ordered = [baseline, ...variants.filter((variant) => variant !== baseline)];
  const compared = compare(collected.units, collected.cells, ordered, baseline);
  const all = { prometheus: prometheus.name, seconds, collected, baseline, ...compared };
  if (json) printJson(document(all, until));
  else inWords(all).forEach(printLine);
}
