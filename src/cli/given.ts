/** What the options of a command come to. No option is described here (`options.ts`): to load what describes them takes time. */
import { resolve } from 'node:path';
import type { Descendants } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { isIn, PROFILE, type Profile } from '../actuator/profiles.ts';
import { DEFAULTS } from '../config/defaults.ts';
import type { TargetingKey } from '../config/flagNames.ts';
import type { Targets } from '../gate/gate.ts';
import type { LogLevel } from '../util/log.ts';
import type { Origin, Origins } from './settled.ts';
import { defaultStateDir } from './stateDir.ts';

export interface CommonOptions {
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
  /** The configuration that counts, if there is one. */
  readonly config?: string;
  /** Where each setting is from; undefined where the command line was not read in full. */
  readonly origins?: Origins;
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
  /** What the keys of flags begin with. */
  readonly flagPrefix?: string;
  readonly flagTargetingKey?: TargetingKey;
  readonly descendants: Descendants;
  readonly observeOnly?: boolean;
  /** `--optimize`. */
  readonly optimize?: Profile | 'off';
  /** CPU seconds per second. */
  readonly maxOverhead?: number;
  /** False: `--no-guard`. */
  readonly guard?: boolean;
  readonly linkAgentTelemetry?: boolean;
  /** Bytes that may wait on disk for a backend. */
  readonly spoolLimit?: number;
}

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

/** What the command line, variables and the configuration ask for, by the knob's id. */
export interface Asked {
  readonly targets: Targets;
  /** Which words decided that. */
  readonly why: ReadonlyMap<string, string>;
  /** The knobs on which the configuration decided. */
  readonly configured: ReadonlySet<string>;
  /** What a profile would set, and this host can't do: a sentence each. */
  readonly leftOut: readonly string[];
}

export function asked(options: TuneOptions): Asked {
  const given = options as unknown as Readonly<Record<string, bigint | 'off' | undefined>>; // commander's names, made from KNOBS
  const profile = options[PROFILE.option];
  const targets = new Map<string, bigint>();
  const why = new Map<string, string>();
  const configured = new Set<string>();
  const leftOut: string[] = [];
  for (const knob of KNOBS) {
    const value = given[keyOf(knob)];
    const isByProfile = value === undefined && profile !== undefined && profile !== 'off' && isIn(profile, knob);
    const origin = options.origins?.get(isByProfile ? PROFILE.option : keyOf(knob));
    const isOption = origin === undefined || origin.source === 'option';
    if (origin?.source === 'file' && (isByProfile || value !== undefined)) configured.add(knob.id);
    if (value !== undefined) {
      if (!isOption) why.set(knob.id, said(keyOf(knob), origin, value === 'off' ? value : undefined));
      else if (value === 'off') why.set(knob.id, `--${knob.option}=off`);
      if (value !== 'off') targets.set(knob.id, value);
    } else if (isByProfile) {
      const { ok, detail } = knob.support();
      const words = isOption ? `--${PROFILE.option}=${profile}` : said(PROFILE.option, origin, profile);
      why.set(knob.id, `${words}${ok ? '' : `; ${detail}`}`);
      if (ok) targets.set(knob.id, knob.defaultTarget);
      else leftOut.push(`${words} leaves out the ${knob.title}: ${detail}`);
    }
  }
  return { targets, why, configured, leftOut };
}

/** Words for a setting that is not from the command line: `TAUT_OPTIMIZE=all`, `optimize: all (taut.yaml:3)`. */
function said(key: string, { source, place }: Origin, value: string | undefined): string {
  if (source === 'variable') return value === undefined ? place : `${place}=${value}`;
  return `${key}${value === undefined ? '' : `: ${value}`} (${place})`;
}

/** Whether a setting is this command's own, and not the host's. */
export function isOwn({ origins }: TuneOptions, key: string, value: unknown): boolean {
  const source = origins?.get(key)?.source;
  return value !== undefined && (source === undefined || source === 'option' || source === 'variable');
}

/** Whether feature flags decide. */
export function hasFlags({ flags, flagProvider }: TuneOptions): boolean {
  return flags !== undefined || flagProvider !== undefined;
}

/** What the command line asks for, by the knob's id. */
export function targetsOf(options: TuneOptions): Targets {
  return asked(options).targets;
}
