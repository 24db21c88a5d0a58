/** What the options of an application come to: each is checked as the configuration's key of that name is. */
import type { Provider } from '@openfeature/server-sdk';
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { PROFILE } from '../actuator/profiles.ts';
import type { TuneOptions } from '../cli/given.ts';
import type { Origin } from '../cli/settled.ts';
import { defaultStateDir, stateDirProblem } from '../cli/stateDir.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { nearest } from '../config/nearest.ts';
import { type Config, configSchema } from '../config/schema.ts';
import { SETTINGS } from '../config/settings.ts';
import type { Scope } from '../discovery/scope.ts';
import type { TautOptions } from './options.ts';
import { StartError } from './startError.ts';

/** Settings of the commands that mean nothing in an application, or are said otherwise there. */
const ELSEWHERE: readonly string[] = ['logLevel', 'spoolLimit', 'flagProvider', 'flagProviderOptions'];

const KEYS: readonly string[] = SETTINGS.map(({ key }) => key).filter((key) => !ELSEWHERE.includes(key));
/** The options that are no settings. */
const OTHERS = [
  ...(['scope', 'config', 'gate', 'flagProvider', 'telemetry', 'metrics', 'require', 'log', 'onEvent'] as const),
] satisfies readonly (keyof TautOptions)[];

export interface Settled {
  readonly scope: Scope;
  readonly options: TuneOptions;
  /** The rules that the application gave as an object. */
  readonly configuration?: Config;
}

/** @throws StartError */
export async function settleOptions(given: TautOptions): Promise<Settled> {
  refuseUnknown(given);
  const values = new Map(KEYS.flatMap((key) => settingOf(key, given[key as keyof TautOptions])));
  if (given.flags !== undefined && given.flagProvider !== undefined)
    throw wrong('flags and flagProvider exclude each other: one of them decides');
  const reasons = [...KNOBS.map(keyOf), PROFILE.option];
  const origins = new Map<string, Origin>(reasons.map((key) => [key, { source: 'variable', place: key }]));
  const configuration = typeof given.config === 'object' ? await rulesIn(given.config) : undefined;
  return {
    scope: scopeOf(given.scope),
    options: {
      ...{ descendants: DEFAULTS.descendants, logLevel: DEFAULTS.logLevel, stateDir: defaultStateDir(), origins },
      ...Object.fromEntries(values),
      ...(typeof given.config === 'string' && { config: given.config }),
      ...(given.flagProvider && { provider: given.flagProvider as Provider }),
    },
    ...(configuration && { configuration }),
  };
}

function wrong(message: string, cause?: unknown): StartError {
  return new StartError('ERR_TAUT_OPTION', message, { cause });
}

function refuseUnknown(given: TautOptions): void {
  const known = [...KEYS, ...OTHERS];
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw wrong(`there is no option ${key}${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
}

/** The value of a setting, as the commands have it; none where it was not given. */
function settingOf(key: string, value: unknown): [string, unknown][] {
  if (value === undefined) return [];
  const problem = key === 'stateDir' ? stateDirProblem(String(value)) : undefined;
  if (problem !== undefined) throw wrong(`stateDir: ${problem}`);
  const schema = configSchema.shape[key as keyof typeof configSchema.shape];
  const parsed = schema.safeParse(value);
  if (parsed.success) return [[key, parsed.data]];
  throw wrong(`${key}: ${parsed.error.issues[0]?.message}`, parsed.error);
}

function scopeOf(scope: TautOptions['scope'] = 'host'): Scope {
  if (scope === 'host') return { kind: 'host' };
  const pids = new Set(scope?.pids);
  const odd = [...pids].find((pid) => !Number.isSafeInteger(pid) || pid < 1);
  if (pids.size === 0 || odd !== undefined)
    throw wrong(`scope: 'host', or { pids } with process ids is wanted${odd === undefined ? '' : `, not ${odd}`}`);
  return { kind: 'pids', pids };
}

/** Says the mistakes of an object as those of a file, without their places. */
async function rulesIn(config: object): Promise<Config> {
  const { parseConfig } = await import('../config/load.ts');
  try {
    return parseConfig(JSON.stringify(config), 'config');
  } catch (error) {
    throw wrong((error as Error).message.replaceAll(/^config:\d+:\d+: /gm, 'config: '), error);
  }
}
