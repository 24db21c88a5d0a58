/** `taut config show`: what is in force of each setting, and where that is from. */
import type { Command } from 'commander';
import { DEFAULT_LIMITS, type Guardrail, type Measure } from '../config/guardrail.ts';
import { HOST_CONFIG, SETTINGS, type Setting } from '../config/settings.ts';
import type { TuneOptions } from './given.ts';
import { withCommon, withJson, withTuning } from './options.ts';
import { printJson, printLine } from './output.ts';
import { readConfig } from './readConfig.ts';
import type { Origin } from './settled.ts';

/** A setting, or a key of a configuration that has no option. */
interface Shown {
  readonly key: string;
  readonly option: string | null;
  readonly variable: string | null;
  /** Null: nothing is in force. */
  readonly value: unknown;
  readonly source: Origin['source'];
  /** Null: it is a default. */
  readonly place: string | null;
}

export function addConfigShow(config: Command): void {
  const command = config
    .command('show')
    .description(
      'what is in force of each setting, and where that is from: option, variable, file with line, or nobody',
    )
    .addHelpText(
      'after',
      `
An option comes before its variable, that before the configuration: the file of
--config, else that of TAUT_CONFIG, else ${HOST_CONFIG}.

Examples:
  taut config show
  taut config show --config taut.yaml --log-level warn
  taut config show --json | jq '.settings[] | select(.source != "default")'`,
    );
  withJson(withTuning(withCommon(command)), 'the settings').action(show);
}

async function show(options: TuneOptions): Promise<void> {
  const settings = [...SETTINGS.map((setting) => ofSetting(setting, options)), ...(await ofRules(options))];
  if (options.json) return printJson({ config: options.config ?? null, settings });
  printLine(
    options.config === undefined ? `no configuration (${HOST_CONFIG} is not there)` : `configuration ${options.config}`,
  );
  const rows = settings.map(({ key, value, place }) => [
    key,
    value === null ? otherwise(key) : String(value),
    place ?? 'default',
  ]);
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [keys, values] = [width(0), width(1)];
  for (const [key = '', value = '', place = ''] of rows)
    printLine(`  ${key.padEnd(keys)}  ${value.padEnd(values)}  ${place}`);
}

function ofSetting(setting: Setting, options: TuneOptions): Shown {
  const { key, option, variable } = setting;
  const given = (options as unknown as Readonly<Record<string, unknown>>)[key];
  const value = given ?? (setting.otherwise === 'off' ? 'off' : setting.kind === 'switch' ? false : null);
  return { key, option: `--${option}`, variable, value: inWords(setting, value), ...origin(options, key) };
}

function inWords({ format, isSecret }: Setting, value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (isSecret) return '(given, and not shown: it may carry a secret)';
  return format ? format(value as never) : String(value);
}

/** What a configuration says of agents. Its rules are counted. */
async function ofRules(options: TuneOptions): Promise<Shown[]> {
  const { builtin, dnsPorts, guardrail, rules } = await readConfig(options.config);
  const guarded = guardrail ? limitsInWords(guardrail) : 'off';
  const values = { builtin, dnsPorts: dnsPorts.join(', '), guardrail: guarded, rules: `${rules.length} of its own` };
  return Object.entries(values).map(([key, value]) => {
    return { key, option: null, variable: null, value, ...origin(options, key) };
  });
}

/** What is not looked at is left out. */
function limitsInWords(given: Guardrail): string {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const looked = (Object.keys(DEFAULT_LIMITS) as Measure[]).filter((measure) => limits[measure] !== 'off');
  return looked.map((measure) => `${measure} +${Math.round(Number(limits[measure]) * 100)}%`).join(', ') || 'off';
}

function origin({ origins }: TuneOptions, key: string): Pick<Shown, 'source' | 'place'> {
  const { source, place } = origins?.get(key) ?? { source: 'default', place: '' };
  return { source, place: place === '' ? null : place };
}

function otherwise(key: string): string {
  return SETTINGS.find((setting) => setting.key === key)?.otherwise ?? '';
}
