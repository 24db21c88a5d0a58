import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { describeOff, readOff } from '../actuator/off.ts';
import { timerSlack } from '../actuator/timerSlack.ts';
import type { Watcher } from '../agents/watcher.ts';
import type { Targets } from '../gate/gate.ts';
import { createLog, type Log } from '../util/log.ts';
import { besideBuild } from './demo/besideBuild.ts';
import { buildToJson, describeBuild } from './demo/buildReport.ts';
import { commonest, measurePhase, type Phase, threadValues } from './demo/phase.ts';
import { describeAll, describePhase, toJson } from './demo/report.ts';
import { startSample } from './demo/sample.ts';
import { SwitchGate } from './demo/switchGate.ts';
import { CliError, EXIT } from './exit.ts';
import type { CommonOptions } from './given.ts';
import { EndedEarly, Lifetime } from './lifetime.ts';
import { meansOf } from './means.ts';
import { requireOpenFiles } from './openFiles.ts';
import { withCommon, withGuard, withJson } from './options.ts';
import { printError, printJson, printText } from './output.ts';
import type { Session } from './session.ts';

interface DemoOptions extends CommonOptions {
  readonly seconds: number;
  /** False: `--no-guard`. */
  readonly guard?: boolean;
}

/** What the first act shows: its phases compare how late timers fire, which this knob alone decides. */
const KNOB = timerSlack;
const TARGET = KNOB.defaultTarget;
/** How long a turn beside the build is, in phases. */
const TURN = 1 / 6;
const NEVER = new AbortController().signal;

const MORE = `
Times in the JSON are seconds. Bucket i of a histogram counts those above
b^(offset + i) and up to b^(offset + i + 1), where b = 2^(2^-scale).

Examples:
  taut demo
  taut demo --seconds 3 --json | jq ".phases[].metrics"`;

export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('show it on this machine in under a minute: a sample agent is measured, tuned, and put back')
    .option(
      '--seconds <n>',
      'how long each of the three phases is; beside a build each setting has half as long',
      seconds,
      8,
    )
    .addHelpText('after', MORE);
  withJson(withGuard(withCommon(command)), 'the phases').action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  requireOpenFiles();
  const log: Log = createLog(options.logLevel === 'info' ? 'warn' : options.logLevel, printError);
  const lifetime = new Lifetime(log, 'end');
  try {
    await tell(options, log, lifetime);
  } catch (error) {
    if (!(error instanceof EndedEarly)) throw error;
    const { why, signal, exitCode, isQuiet } = error.ending;
    if (!isQuiet) printError(`${why}: the sample agent was put back as it was found, and ended`);
    process.exitCode = exitCode ?? (signal ? 128 + constants.signals[signal] : EXIT.failed);
  }
}

/** Three measured phases on the same process: as found, tuned, restored. Then what it waits for beside its own build. */
async function tell(options: DemoOptions, log: Log, lifetime: Lifetime): Promise<void> {
  const off = readOff(options.stateDir);
  if (off) throw new CliError(`${describeOff(off)}; the demo tunes its sample agent: taut on lifts that`, EXIT.failed);
  using means = meansOf(options.stateDir, log.warn);
  if ('why' in means)
    throw new CliError(`${means.why}, and one taut tunes at a time: end that one for the demo`, EXIT.failed);
  printError(`starting a sample agent: streams from a local server, short timers, file reads, a child tool`);
  await using sample = await startSample();
  const gate = new SwitchGate();
  const scope = { kind: 'pids', pids: new Set([sample.pid]) } as const;
  const run = { ledger: means.ledger, guard: options.guard !== false, begun: () => undefined, ended: NEVER };
  const sinkDir = join(options.stateDir, 'demo');
  const [{ ownTelemetry }, { openSession }] = await Promise.all([import('./ownTelemetry.ts'), import('./session.ts')]);
  const of = { scope, gate, lifetime, run, sinkDir, telemetry: ownTelemetry, descendants: 'contain' } as const;
  await using session = await openSession({ ...options, ...of }, log);
  if (session.missing.length > 0)
    throw new CliError(
      'the demo needs to measure and to tune; taut doctor says what is missing, and how to get it',
      EXIT.host,
    );

  const { watcher } = session;
  const change = async (targets: Targets, reason: string) => {
    gate.set(targets, reason);
    await settled(watcher, sample.pid, targets);
  };
  const original = commonest(threadValues(KNOB, sample.pid));
  const phases: Phase[] = [];
  const phase = async (name: Phase['name'], targets: Targets, reason: string) => {
    await change(targets, reason);
    printError(`measuring ${options.seconds} s ${reason} ...`);
    const measuring = measurePhase(name, watcher, sample.pid, options.seconds, original, TARGET);
    const measured = await lifetime.unlessEnded(measuring);
    phases.push(measured);
    if (!options.json) printText(describePhase(measured));
  };
  await phase('original', new Map(), 'before anything is changed');
  await phase('tuned', new Map([[KNOB.id, TARGET]]), `with every thread tuned to ${KNOB.format(TARGET)}`);
  await phase('restored', new Map(), 'with every thread put back');

  if (!options.json) printText(`\n${describeAll(phases)}\n`);

  const seconds = TURN * options.seconds;
  const unlessEnded = <T>(work: Promise<T>) => lifetime.unlessEnded(work);
  const beside = await besideBuild({ watcher, sample, seconds, change, unlessEnded, progress: printError });
  if (options.json) printJson({ ...toJson(phases), build: buildToJson(beside) });
  else printText(`${describeBuild(beside)}\n\n${await whereabouts(session)}`);
  const last = [phases.at(-1)?.threads, ...(beside.arms.at(-1)?.settings.map(({ threads }) => threads) ?? [])];
  if (last.some((threads) => threads?.original !== threads?.total))
    throw new CliError('not every thread is back at its original', EXIT.failed);
}

/** Waits until the gate's decision is carried out, which happens asynchronously. */
async function settled(watcher: Watcher, pid: number, targets: Targets): Promise<void> {
  const deadline = performance.now() + 10_000;
  const isSettled = () => {
    const agent = watcher.agent(pid);
    return !agent || agent.tunings.every(({ knob, target }) => target === targets.get(knob.id));
  };
  while (!isSettled()) {
    if (performance.now() > deadline) throw new CliError('the sample agent could not be tuned', EXIT.failed);
    await setTimeout(10);
  }
}

async function whereabouts({ telemetry }: Session): Promise<string> {
  await telemetry.flush();
  const files = Object.values(telemetry.files());
  if (files.length === 0) return telemetry.describe();
  return [
    'The same as OTLP, one JSON document a line:',
    ...files.map((file) => `  ${file}`),
    'To send it to a collector instead:',
    '  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 taut demo',
  ].join('\n');
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 600)) throw new InvalidArgumentError('a number of seconds from 1 to 600 is wanted');
  return value;
}
