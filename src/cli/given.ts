/** What the options of a command come to. No option is described here (`options.ts`): to load what describes them takes time. */
import { resolve } from 'node:path';
import type { Descendants } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { isIn, PROFILE, type Profile } from '../actuator/profiles.ts';
import type { Targets } from '../gate/gate.ts';
import type { LogLevel } from '../util/log.ts';
import { defaultStateDir } from './stateDir.ts';

export interface CommonOptions {
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
  readonly config?: string;
}

export interface TuneOptions extends CommonOptions {
  readonly flags?: string;
  /** A module that has a provider of feature flags. */
  readonly flagProvider?: string;
  readonly flagProviderOptions?: unknown;
  /** Milliseconds. */
  readonly flagPoll?: number;
  /** Milliseconds. */
  readonly flagLastKnown?: number;
  readonly descendants: Descendants;
  readonly observeOnly?: boolean;
  /** `--optimize`. */
  readonly optimize?: Profile;
  /** CPU seconds per second. */
  readonly maxOverhead?: number;
  /** False: `--no-guard`. */
  readonly guard?: boolean;
  /** Bytes that may wait on disk for a backend. */
  readonly spoolLimit?: number;
}

/** Options that are not given. */
export const DEFAULTS = {
  logLevel: 'info',
  descendants: 'contain',
  spoolLimit: 64 << 20,
} as const satisfies Partial<TuneOptions>;

/** What it comes to when no option is given but these, without a value. */
export function givenAlone(knobs: readonly Knob[], env: NodeJS.ProcessEnv, profile?: Profile): TuneOptions {
  const targets = knobs.map((knob) => [keyOf(knob), knob.defaultTarget]);
  const stateDir = env['TAUT_STATE_DIR'];
  return {
    ...DEFAULTS,
    ...Object.fromEntries(targets),
    ...(profile && { [PROFILE.option]: profile }),
    stateDir: stateDir === undefined ? defaultStateDir() : resolve(stateDir),
    guard: true,
  };
}

/** What the command line asks for, by the knob's id. */
export interface Asked {
  readonly targets: Targets;
  /** Which words of the command line decided that. */
  readonly why: ReadonlyMap<string, string>;
  /** What a profile would set, and this host can't do: a sentence each. */
  readonly leftOut: readonly string[];
}

export function asked(options: TuneOptions): Asked {
  const given = options as unknown as Readonly<Record<string, bigint | 'off' | undefined>>; // commander's names, made from KNOBS
  const profile = options[PROFILE.option];
  const targets = new Map<string, bigint>();
  const why = new Map<string, string>();
  const leftOut: string[] = [];
  for (const knob of KNOBS) {
    const value = given[keyOf(knob)];
    if (value === 'off') why.set(knob.id, `--${knob.option}=off`);
    else if (value !== undefined) targets.set(knob.id, value);
    else if (profile && isIn(profile, knob)) {
      const { ok, detail } = knob.support();
      why.set(knob.id, `--${PROFILE.option}=${profile}${ok ? '' : `; ${detail}`}`);
      if (ok) targets.set(knob.id, knob.defaultTarget);
      else leftOut.push(`--${PROFILE.option}=${profile} leaves out the ${knob.title}: ${detail}`);
    }
  }
  return { targets, why, leftOut };
}

/** Whether feature flags decide. */
export function hasFlags({ flags, flagProvider }: TuneOptions): boolean {
  return flags !== undefined || flagProvider !== undefined;
}

/** What the command line asks for, by the knob's id. */
export function targetsOf(options: TuneOptions): Targets {
  return asked(options).targets;
}
