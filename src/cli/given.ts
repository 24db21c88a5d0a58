/** What the options of a command come to. No option is described here (`options.ts`): to load what describes them takes time. */
import { resolve } from 'node:path';
import type { Descendants } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
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
  readonly descendants: Descendants;
  readonly observeOnly?: boolean;
  /** CPU seconds per second. */
  readonly maxOverhead?: number;
  /** False: `--no-guard`. */
  readonly guard?: boolean;
}

/** Options that are not given. */
export const DEFAULTS = { logLevel: 'info', descendants: 'contain' } as const satisfies Partial<TuneOptions>;

/** What it comes to when no option is given but these, without a value. */
export function givenAlone(knobs: readonly Knob[], env: NodeJS.ProcessEnv): TuneOptions {
  const targets = knobs.map((knob) => [keyOf(knob), knob.defaultTarget]);
  const stateDir = env['TAUT_STATE_DIR'];
  return {
    ...DEFAULTS,
    ...Object.fromEntries(targets),
    stateDir: stateDir === undefined ? defaultStateDir() : resolve(stateDir),
    guard: true,
  };
}

/** What the command line asks for, by the knob's id. */
export function targetsOf(options: TuneOptions): Targets {
  const given = options as unknown as Readonly<Record<string, bigint | undefined>>; // commander's names, made from KNOBS
  return new Map(
    KNOBS.flatMap((knob) => {
      const value = given[keyOf(knob)];
      return value === undefined ? [] : [[knob.id, value] as const];
    }),
  );
}
