/** Reads values of OTEL_* variables. Pure, and light: it is loaded before the command of `taut run` is started. */
import { nearest } from '../../src/config/nearest.ts';
import { masked } from '../readable.ts';

export const SIGNALS = ['traces', 'metrics', 'logs'] as const;
export type SignalName = (typeof SIGNALS)[number];

export type Env = Readonly<Record<string, string | undefined>>;

/** What is wrong with one variable. */
interface Mistake {
  /** The name of a variable, or a place in a configuration file. */
  readonly variable: string;
  /** Undefined when it may be a secret. */
  readonly value: string | undefined;
  /** What is wanted instead. */
  readonly mend: string;
}

/** Variables have wrong values: taut never sends elsewhere instead. The message shows values without secrets. */
export class TelemetryConfigError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super([...new Set(mistakes.map(line))].join('\n'));
    this.name = 'TelemetryConfigError';
    this.mistakes = mistakes;
  }
}

function line({ variable, value, mend }: Mistake): string {
  return value === undefined ? `${variable}: ${mend}` : `${variable}=${masked(value)}: ${mend}`;
}

/** @param value leave it out if it may be a secret. @throws TelemetryConfigError */
export function wrong(variable: string, value: string | undefined, mend: string): never {
  throw new TelemetryConfigError([{ variable, value, mend }]);
}

/** The mistakes that the checks find, all of them. */
export function mistakesOf(checks: readonly (() => unknown)[]): Mistake[] {
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof TelemetryConfigError) return error.mistakes;
      throw error;
    }
  });
}

/** The value of a variable; the specification says that empty means unset. */
export function read(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** The name of the variable that decides for a signal: its own if that is set, else the one for all signals. */
export function deciding(env: Env, signal: SignalName, what: string): string {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`;
  return read(env, own) === undefined ? `OTEL_EXPORTER_OTLP_${what}` : own;
}

/**
 * A whole number of at least `min`, in the variable's own unit (milliseconds for times).
 * @throws TelemetryConfigError
 */
export function wholeNumber(env: Env, name: string, fallback: number, min = 1): number {
  const value = read(env, name);
  if (value === undefined) return fallback;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= min && number <= MOST) return number;
  return wrong(name, value, `a whole number of at least ${min} is wanted`);
}

/** The longest time that a timer can have; the largest number that an SDK has to take. */
const MOST = 2 ** 31 - 1;

/** Milliseconds; 0 means without limit, for which the longest time stands. @throws TelemetryConfigError */
export function timeout(env: Env, name: string, fallback: number): number {
  return wholeNumber(env, name, fallback, 0) || MOST;
}

/** One of the known values, in whatever case it is written. @throws TelemetryConfigError */
export function oneOf<const K extends string>(env: Env, name: string, known: readonly K[]): K | undefined {
  const value = read(env, name);
  if (value === undefined) return undefined;
  const found = known.find((one) => one === value.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(value, known);
  return wrong(name, value, `known: ${known.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`);
}

/** @throws TelemetryConfigError for what is neither `true` nor `false`. */
export function isTrue(env: Env, name: string): boolean {
  return oneOf(env, name, ['true', 'false']) === 'true';
}
