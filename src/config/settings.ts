/**
 * Every setting: from this one table are made the options of the commands, the keys of a configuration, the variables of the
 * environment, and the table of docs/configuration.md. Only what is said once on a command line is none: the file itself
 * (`--config`), the form of the output (`--json`), what one command is to do (`--dry-run`, process ids). Pure.
 */
import { DESCENDANTS } from '../actuator/descendants.ts';
import type { Knob } from '../actuator/knob.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { PROFILE } from '../actuator/profiles.ts';
import { LOG_LEVELS } from '../util/log.ts';
import { DEFAULTS } from './defaults.ts';
import { FLAG_PREFIX, parsePrefix, TARGETING_KEYS } from './flagNames.ts';
import { formatBytes, formatMs, formatShare, parseBytes, parseMs, parseShare, parseSwitch } from './values.ts';

/** The configuration that counts where no other is named. */
export const HOST_CONFIG = '/etc/taut/taut.yaml';
/** Names another one, as `--config` does. */
export const CONFIG_VARIABLE = 'TAUT_CONFIG';

/**
 * What its value is in a configuration: `value` is a text, a number or a boolean that `parse` reads; `file` a path, relative to the
 * configuration; `module` one too, or the name of a package.
 */
type Kind = 'value' | 'text' | 'choice' | 'switch' | 'file' | 'module' | 'json';

interface Described {
  /** Name of the option without dashes; of a switch that is on by default, with `no-`. */
  readonly option: string;
  readonly kind: Kind;
  /** What stands for the value in the help, like `<time>`; none: the option is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** What the option means without a value. */
  readonly preset?: string;
  /** Used where nobody says anything; undefined: there is none, or it depends on who asks. */
  readonly fallback?: unknown;
  /** The same in words. */
  readonly otherwise: string;
  /** Which commands take it: all; those that may tune; those that start a guard. */
  readonly of: 'all' | 'tuning' | 'guarded';
  /** @throws Error with the reason. */
  readonly parse: (text: string) => unknown;
  /** As people write it, where its value is no text. */
  readonly format?: (value: never) => string;
  /** It may carry a secret: it is not shown. */
  readonly isSecret?: boolean;
}

export interface Setting extends Described {
  /** Key of a configuration, and what commander calls the option's value. */
  readonly key: string;
  /** Variable of the environment. */
  readonly variable: string;
}

const asIs = (text: string) => {
  if (text.trim() === '') throw new RangeError('it is empty');
  return text;
};

/** Why a word is none of the choices, with all of them. */
const oneOf = (choices: readonly string[]) => (text: string) => {
  if (choices.includes(text)) return text;
  throw new RangeError(`"${text}" is none of ${choices.join(', ')}`);
};

/** `true` is what the option is without a value, `false` and `off` that it is not given, and no profile gives it. */
const orSwitch =
  (preset: string, parse: (text: string) => unknown) =>
  (text: string): unknown => {
    if (text === 'off' || text === 'false') return 'off';
    return parse(text === 'true' ? preset : text);
  };

/** The setting of a knob, like `--optimize-timer-slack[=VALUE]`. */
function ofKnob(knob: Knob): Described {
  const preset = String(knob.defaultTarget);
  const alone = knob.format(knob.defaultTarget);
  return {
    ...{ option: knob.option, kind: 'value', value: '[value]', preset, otherwise: 'off', of: 'tuning' },
    help: `${knob.help}; without a value: ${alone}`,
    parse: orSwitch(preset, (text) => knob.parse(text)),
    format: (target: bigint | 'off') => (target === 'off' ? target : knob.format(target)),
  };
}

const DESCRIBED: readonly Described[] = [
  {
    ...{ option: 'state-dir', kind: 'file', value: '<dir>', of: 'all', parse: (text: string) => text },
    help: 'where taut keeps the record of what it changed, its control socket and telemetry files',
    otherwise: '/var/lib/taut',
  },
  {
    ...{ option: 'log-level', kind: 'choice', value: '<level>', of: 'all', choices: LOG_LEVELS },
    help: 'what to say on standard error',
    fallback: DEFAULTS.logLevel,
    otherwise: 'info',
    parse: oneOf(LOG_LEVELS),
  },
  ...KNOBS.map(ofKnob),
  {
    ...{ option: PROFILE.option, kind: 'value', value: '[profile]', preset: PROFILE.defaultTarget, of: 'tuning' },
    help: `set what this host can do: responsive, what is felt beside a build; timers; or all; without a value: ${PROFILE.defaultTarget}`,
    otherwise: 'off',
    parse: orSwitch(PROFILE.defaultTarget, PROFILE.parse),
  },
  {
    ...{ option: 'no-guard', kind: 'switch', of: 'guarded', parse: parseSwitch },
    help: 'start no process that puts everything back should taut be killed: where a service manager runs taut restore then',
    fallback: true,
    otherwise: 'true',
  },
  {
    ...{ option: 'descendants', kind: 'choice', value: '<how>', of: 'tuning', choices: DESCENDANTS },
    help: "what a tuned agent's child processes get that no rule names: contain, what the agent had before; inherit, what it has now; tune, the same, as agents",
    fallback: DEFAULTS.descendants,
    otherwise: 'contain',
    parse: oneOf(DESCENDANTS),
  },
  {
    ...{ option: 'observe-only', kind: 'switch', of: 'tuning', parse: parseSwitch },
    help: 'change nothing, whatever flags and other options say',
    otherwise: 'false',
  },
  {
    ...{ option: 'max-overhead', kind: 'value', value: '<percent>', of: 'tuning', parse: parseShare },
    help: 'record less when measuring uses more than so many percent of a core in the kernel',
    otherwise: 'no limit',
    format: formatShare,
  },
  {
    ...{ option: 'spool-limit', kind: 'value', value: '<size>', of: 'tuning', parse: parseBytes },
    help: 'how much telemetry may wait on disk for a backend that does not take it now; 0: none',
    fallback: DEFAULTS.spoolLimit,
    otherwise: '64M',
    format: formatBytes,
  },
  {
    ...{ option: 'link-agent-telemetry', kind: 'switch', of: 'tuning', parse: parseSwitch },
    help: "link the trace of each agent to the agent's own: reads TRACEPARENT, OTEL_SERVICE_NAME, service.* and session.id from its environment, and nothing else",
    otherwise: 'false',
  },
  {
    ...{ option: 'flags', kind: 'file', value: '<file>', of: 'tuning', parse: asIs, otherwise: 'none' },
    help: 'a feature flag file in flagd format decides which agents are tuned; read again when it changes',
  },
  {
    ...{ option: 'flag-provider', kind: 'module', value: '<module>', of: 'tuning', parse: asIs, otherwise: 'none' },
    help: 'a provider of OpenFeature decides: an installed package, or a file like ./provider.js',
  },
  {
    ...{ option: 'flag-provider-options', kind: 'json', value: '<json>', of: 'tuning', parse: asIs },
    help: 'what the provider is made with: JSON, or a file that has it',
    otherwise: 'none',
    isSecret: true,
  },
  {
    ...{ option: 'flag-poll', kind: 'value', value: '<time>', of: 'tuning', parse: parseMs, otherwise: '5s' },
    help: 'ask a provider so often that does not tell of changes',
    fallback: DEFAULTS.flagPoll,
    format: formatMs,
  },
  {
    ...{ option: 'flag-last-known', kind: 'value', value: '<time>', of: 'tuning', parse: parseMs, otherwise: '10m' },
    help: 'agents keep what was decided last for so long when the provider or the flag file gives no answer',
    fallback: DEFAULTS.flagLastKnown,
    format: formatMs,
  },
  {
    ...{ option: 'flag-prefix', kind: 'text', value: '<text>', of: 'tuning', parse: parsePrefix },
    help: 'what the keys of the flags begin with',
    fallback: DEFAULTS.flagPrefix,
    otherwise: FLAG_PREFIX,
  },
  {
    ...{ option: 'flag-targeting-key', kind: 'choice', value: '<what>', of: 'tuning', choices: TARGETING_KEYS },
    help: 'what the percentage of a flag is drawn by: each process, all agents of one name on a host, a host, a user',
    fallback: DEFAULTS.flagTargetingKey,
    otherwise: 'process',
    parse: oneOf(TARGETING_KEYS),
  },
];

export const SETTINGS: readonly Setting[] = DESCRIBED.map((described) => {
  const name = described.option.replace(/^no-/, '');
  return {
    ...described,
    key: camelCase(name),
    variable: `TAUT_${name.toUpperCase().replaceAll('-', '_')}`,
  };
});

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export const SETTING_BY_KEY: ReadonlyMap<string, Setting> = new Map(SETTINGS.map((setting) => [setting.key, setting]));
