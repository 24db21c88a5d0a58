/**
 * The trace context of `taut run`: the one that it is given in the environment, and the one that its command gets. The command
 * is started before anything that exports is loaded, so the ids of the span `run` are made here. Light, for the same reason.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sampling } from '../../../otel/environment/sampling.ts';
import { destination, type Env, isDisabled, SIGNALS, type SignalName } from '../../../otel/environment.ts';
import { nowMs } from '../../proc/clock.ts';
import {
  isBaggage,
  isTracestate,
  parseTraceparent,
  type TraceContext,
  traceparentOf,
} from '../../telemetry/traceContext.ts';
import { MOST_OF_A_NAME, printable } from '../../util/printable.ts';
import { uuid } from '../../util/uuid.ts';
import { placeProblem } from '../../util/writable.ts';

/** The span `run`, before it is made. */
export interface RunSpan extends TraceContext {
  /** The caller's span. */
  readonly parent: TraceContext | undefined;
  /** Of the command's start, milliseconds since the epoch. */
  readonly startMs: number;
  /** The program's name, without its folder and its arguments. */
  readonly command: string;
}

export interface Carried {
  /** The variables of the command. */
  readonly env: NodeJS.ProcessEnv;
  /** `taut.run.id` of the command's telemetry and of taut's; undefined where nothing is exported. */
  readonly runId: string | undefined;
  /** Undefined where traces go nowhere. */
  readonly span: RunSpan | undefined;
  /** What of the environment does not count, for the log. */
  readonly ignored: readonly string[];
  /** The variables that telemetry goes by. */
  readonly telemetry: Env;
}

interface Given {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What telemetry goes by: the same variables, unless a configuration file stands instead of them. Without mistakes. */
  readonly telemetry: Env;
  readonly stateDir: string;
}

const RUN_ID = 'taut.run.id';
const RESOURCE = 'OTEL_RESOURCE_ATTRIBUTES';

export async function carry({ command: [program = ''], env, telemetry, stateDir }: Given): Promise<Carried> {
  const isOn = exportsOf(telemetry, stateDir);
  if (!SIGNALS.some(isOn)) return { env, runId: undefined, span: undefined, ignored: [], telemetry };
  const { list, runId } = withRunId(env[RESOURCE]);
  const child: NodeJS.ProcessEnv = { ...env, [RESOURCE]: list };
  if (!isOn('traces')) return { env: child, runId, span: undefined, ignored: [], telemetry };
  const isCarried = propagates(env);
  const { parent, ignored } = callerOf(isCarried ? env : {});
  const { state } = parent ?? {};
  const ids = {
    traceId: parent?.traceId ?? randomHex(16),
    spanId: randomHex(8),
    ...(state !== undefined && { state }),
  };
  const isSampled = await isSampledIn(telemetry, ids.traceId, parent);
  const about = { startMs: nowMs(), command: printable(basename(program), MOST_OF_A_NAME) };
  const span = { ...ids, isSampled, parent, ...about };
  if (isCarried) child['TRACEPARENT'] = traceparentOf(span);
  if (isCarried && state === undefined) delete child['TRACESTATE']; // it would belong to another trace
  return { env: child, runId, span, ignored, telemetry };
}

/** Whether a signal goes anywhere. */
function exportsOf(telemetry: Env, stateDir: string): (signal: SignalName) => boolean {
  if (isDisabled(telemetry)) return () => false;
  let canWrite: boolean | undefined;
  return (signal) => {
    const { kind } = destination(telemetry, signal);
    if (kind !== 'files') return kind === 'otlp';
    canWrite ??= placeProblem(join(stateDir, 'otlp')) === undefined;
    return canWrite;
  };
}

/** Whether `OTEL_PROPAGATORS` has `tracecontext`, as its default has. */
function propagates({ OTEL_PROPAGATORS: names = '' }: NodeJS.ProcessEnv): boolean {
  const list = names.split(',').map((name) => name.trim().toLowerCase());
  return names.trim() === '' || list.includes('tracecontext');
}

/** An id that is there already is that of a `taut run` around this one, or the user's: it stays. */
function withRunId(given: string | undefined): { readonly list: string; readonly runId: string } {
  const entries = (given ?? '').split(',').map((entry) => entry.trim());
  const own = entries.find((entry) => entry.startsWith(`${RUN_ID}=`))?.slice(RUN_ID.length + 1);
  if (given !== undefined && own) return { list: given, runId: decoded(own) };
  const runId = uuid();
  return { list: [...entries.filter((entry) => entry !== ''), `${RUN_ID}=${runId}`].join(','), runId };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The caller's span, as the environment names it. An empty variable is none. */
function callerOf({ TRACEPARENT: text = '', TRACESTATE: state = '', BAGGAGE: baggage = '' }: NodeJS.ProcessEnv) {
  const ignored: string[] = [];
  const ignore = (name: string) => void ignored.push(`${name} does not count: it is not as W3C has it`);
  const parent = parseTraceparent(text);
  if (text !== '' && !parent) ignore('TRACEPARENT');
  const isState = state !== '' && isTracestate(state);
  if (state !== '' && !isState) ignore('TRACESTATE');
  if (baggage !== '' && !isBaggage(baggage)) ignore('BAGGAGE');
  return { parent: parent && isState ? { ...parent, state } : parent, ignored };
}

/** Whether the SDK will record the span. Only a sampler of a part of the traces is asked itself: to load it takes time. */
async function isSampledIn(telemetry: Env, traceId: string, parent: TraceContext | undefined): Promise<boolean> {
  const { root, isParentBased } = sampling(telemetry);
  if (isParentBased && parent) return parent.isSampled;
  if (root !== 'traceidratio') return root === 'always_on';
  const { isRootSampled } = await import('../../../otel/sampler.ts');
  return isRootSampled(telemetry, traceId);
}

/** `node:crypto` would take longer to load than the command is held. */
function randomHex(bytes: number): string {
  const into = Buffer.alloc(bytes);
  try {
    const source = openSync('/dev/urandom', 'r');
    try {
      readSync(source, into);
    } finally {
      closeSync(source);
    }
  } catch {
    process.getBuiltinModule('node:crypto').randomFillSync(into); // there is no /dev, as in some containers
  }
  return into.toString('hex');
}
