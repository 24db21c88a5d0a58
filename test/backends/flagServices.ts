/** Flag services on loopback that say what a test wants of timer slack, and that can hang, die and return. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, until } from '../support/program.ts';
import { binary } from './binaries.ts';
import { Flagd } from './flagd.ts';
import { freePorts } from './services.ts';

/** Who gets which value: nobody, everybody, those of a name, or a quarter; `other` is another value for everybody. */
export type Wish = 'off' | 'on' | 'other' | 'quarter' | { readonly agent: string };

export interface FlagService extends AsyncDisposable {
  /** What taut is told of it. */
  readonly options: readonly string[];
  set(wish: Wish): void;
  /** Answers nobody until that is over; undefined where nobody asks it. */
  readonly hang?: (isHung: boolean) => void;
  /** Answers so late, milliseconds. */
  readonly slow?: (ms: number) => void;
  die(): Promise<void>;
  return(): Promise<void>;
}

/** The two values, nanoseconds, of which no thread of this host has either but by taut. */
export interface Values {
  readonly on: number;
  readonly other: number;
}

const KEY = 'taut.optimize-timer-slack';
/** Their flags are there, so that a service is asked for each just once. */
const OTHERS = ['taut.optimize-sched-slice', 'taut.optimize-tools'];

const variants = ({ on, other }: Values) => ({ on: `${on}ns`, other: `${other}ns`, off: 'off' });
const variantOf = (wish: Wish) => (typeof wish === 'string' && wish !== 'quarter' ? wish : 'off');

/** By the process's id, which a test can repeat. */
export const QUARTER = { fractional: [{ cat: ['agent ', { var: 'pid' }] }, ['on', 25], ['off', 75]] };

/** A flag file of flagd's. */
export function flagdFlags(wish: Wish, values: Values): string {
  const targeting =
    wish === 'quarter'
      ? QUARTER
      : typeof wish === 'object'
        ? { if: [{ '==': [{ var: 'agent' }, wish.agent] }, 'on', 'off'] }
        : undefined;
  const flag = { state: 'ENABLED', variants: variants(values), defaultVariant: variantOf(wish) };
  const off = { state: 'ENABLED', variants: { off: 'off' }, defaultVariant: 'off' };
  const flags = {
    ...Object.fromEntries(OTHERS.map((key) => [key, off])),
    [KEY]: { ...flag, ...(targeting && { targeting }) },
  };
  return JSON.stringify({ flags });
}

/** The same for GO Feature Flag. */
function goFlags(wish: Wish, values: Values): string {
  const rule = wish === 'quarter' ? { percentage: { on: 25, off: 75 } } : { variation: variantOf(wish) };
  const targeting = typeof wish === 'object' ? [{ query: `agent eq "${wish.agent}"`, variation: 'on' }] : [];
  const flag = { variations: variants(values), targeting, defaultRule: rule };
  const off = { variations: { off: 'off' }, defaultRule: { variation: 'off' } };
  return JSON.stringify({ ...Object.fromEntries(OTHERS.map((key) => [key, off])), [KEY]: flag });
}

function write(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const provider = (name: string, options: object) => [
  ...['--flag-provider', `@openfeature/${name}`, '--flag-provider-options', JSON.stringify(options)],
];

async function flagd(values: Values, options: object): Promise<FlagService> {
  const [port = 0] = await freePorts(1);
  let text = flagdFlags('off', values);
  let running: Flagd | undefined = await Flagd.start(port, text);
  const die = async () => {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  };
  const delay = (ms: number) => {
    if (running) running.delayMs = ms;
  };
  return {
    options: provider('flagd-provider', {
      host: '127.0.0.1',
      port,
      retryBackoffMs: 50,
      retryBackoffMaxMs: 200,
      ...options,
    }),
    set(wish) {
      text = flagdFlags(wish, values);
      running?.set(text);
    },
    slow: delay,
    ...(!('resolverType' in options) && { hang: (isHung: boolean) => delay(isHung ? Number.POSITIVE_INFINITY : 0) }),
    die,
    async return() {
      running = await Flagd.start(port, text);
    },
    [Symbol.asyncDispose]: die,
  };
}

async function goFeatureFlag(values: Values, dir: string): Promise<FlagService> {
  const [port = 0] = await freePorts(1);
  const [path, address] = [join(dir, 'flags.goff.json'), `127.0.0.1:${port}`];
  const start = async () => {
    const program = new Program(binary('go-feature-flag'), [path, address]);
    const isThere = () => fetch(`http://${address}`).then(Boolean, () => false);
    await until('the service answers', isThere);
    return program;
  };
  write(path, goFlags('off', values));
  let running = await start();
  const end = () => running[Symbol.asyncDispose]();
  return {
    options: [...provider('ofrep-provider', { baseUrl: `http://${address}` }), '--flag-poll', '1s'],
    set: (wish) => write(path, goFlags(wish, values)),
    hang: (isHung) => void running.child.kill(isHung ? 'SIGSTOP' : 'SIGCONT'),
    die: end,
    async return() {
      running = await start();
    },
    [Symbol.asyncDispose]: end,
  };
}

async function file(values: Values, dir: string): Promise<FlagService> {
  const path = join(dir, 'flags.json');
  const set = (wish: Wish) => write(path, flagdFlags(wish, values));
  set('off');
  const cannot = async () => {
    throw new Error('a file neither dies nor returns');
  };
  return { options: ['--flags', path], set, die: cannot, return: cannot, [Symbol.asyncDispose]: async () => {} };
}

/** Each starts one whose flags are off. `dir`: for its files. */
export const SERVICES = {
  'a flag file': file,
  flagd: (values: Values) => flagd(values, {}),
  "flagd, evaluated in taut's process": (values: Values) => flagd(values, { resolverType: 'in-process' }),
  'OFREP, by GO Feature Flag': goFeatureFlag,
} satisfies Record<string, (values: Values, dir: string) => Promise<FlagService>>;
