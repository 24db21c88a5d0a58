/** The comparison of a roll-out, for people and as JSON. Pure. */
import { roughly } from '../../util/roughly.ts';
import { type Compared, type Estimate, FEWEST } from './bootstrap.ts';
import { type Collected, ENOUGH_HOSTS } from './collect.ts';
import { MEASURE_NAMES, MEASURES, type MeasureName } from './measures.ts';

export interface Rollout extends Compared {
  readonly prometheus: string;
  readonly seconds: number;
  readonly collected: Collected;
  readonly baseline: string;
}

/** What a difference says: its interval is below 0, above 0, or has both. */
type Verdict = 'less' | 'more' | "can't tell";

/** Names of variants that mean that nothing is changed. */
const UNCHANGED = ['off', 'control', 'baseline', 'false', 'none', 'disabled'];

/** The arm with which others are compared, unless somebody names one. */
export function baselineOf(variants: readonly string[]): string {
  return UNCHANGED.find((name) => variants.includes(name)) ?? variants.toSorted()[0] ?? '';
}

export function verdict({ low, high }: Estimate): Verdict {
  if (low === null || high === null) return "can't tell";
  if (high < 0) return 'less';
  return low > 0 ? 'more' : "can't tell";
}

export function inWords(rollout: Rollout): string[] {
  const { prometheus, seconds, collected, arms, differences, baseline } = rollout;
  const { flag, hosts, unit, arms: sizes } = collected;
  const variants = [...arms.keys()];
  const agents = [...sizes.values()].reduce((sum, one) => sum + one.agents, 0);
  const rows = [
    ['', ...variants],
    ['agents', ...variants.map((variant) => whole(sizes.get(variant)?.agents ?? 0))],
    ['wakeups', ...variants.map((variant) => whole(sizes.get(variant)?.wakeups ?? 0))],
    ...MEASURE_NAMES.map((name) => [
      MEASURES[name].title,
      ...variants.map((of) => estimate(name, arms.get(of)?.[name])),
    ]),
  ];
  const compared = [...differences].flatMap(([variant, own]) => [
    '',
    `${variant}, compared with ${baseline}:`,
    ...MEASURE_NAMES.map(
      (name) => `  ${MEASURES[name].title}: ${difference(name, own[name], fewestOf(rollout, variant), unit)}`,
    ),
  ]);
  return [
    `flag ${flag}, the last ${roughly(seconds)}: ${counted(agents, 'agent')} on ${counted(hosts, 'host')} (${prometheus})`,
    '',
    ...table(rows),
    ...compared,
    ...(differences.size === 0 ? ['', `there is nothing to compare: every agent has the variant ${variants[0]}`] : []),
    '',
    `In brackets: the middle 95% of 1,000 draws of ${unit}s.${caveat(collected)}`,
  ];
}

function caveat({ unit, hosts }: Collected): string {
  if (unit === 'host') return '';
  return ` ${counted(hosts, 'host')} ${hosts === 1 ? 'is' : 'are'} too few to draw hosts (${ENOUGH_HOSTS}): what differs between hosts is not in it.`;
}

/** The units of the smaller of both arms. */
function fewestOf({ collected: { units }, baseline }: Rollout, variant: string): number {
  return Math.min(...[variant, baseline].map((name) => units.filter(({ arms }) => arms.has(name)).length));
}

function difference(name: MeasureName, of: Estimate, units: number, unit: string): string {
  const { value, low, high } = of;
  if (value === null) return 'not measured';
  if (low === null || high === null) return `can't tell: ${counted(units, unit)} in an arm, ${FEWEST} are wanted`;
  if (low === 0 && high === 0) return `can't tell: ${format(name, 0)} in every draw`;
  const said = verdict(of);
  if (said === "can't tell") return `can't tell (from ${signed(name, low)} to ${signed(name, high)})`;
  const [near, far] = said === 'less' ? [-high, -low] : [low, high];
  return `${format(name, Math.abs(value))} ${said} (${format(name, near)} to ${format(name, far)})`;
}

function estimate(name: MeasureName, of: Estimate | undefined): string {
  if (!of || of.value === null) return '-';
  const { value, low, high } = of;
  const around = low === null || high === null ? '' : ` (${format(name, low)} to ${format(name, high)})`;
  return `${format(name, value)}${around}`;
}

function signed(name: MeasureName, value: number): string {
  if (value === 0) return format(name, 0);
  return `${format(name, Math.abs(value))} ${value < 0 ? 'less' : 'more'}`;
}

function format(name: MeasureName, value: number): string {
  if (MEASURES[name].unit === 'time') return roughly(value);
  return `${Number((100 * value).toPrecision(2))}%`;
}

const whole = (n: number) => n.toLocaleString('en-US');
const counted = (n: number, what: string) => `${whole(n)} ${what}${n === 1 ? '' : 's'}`;

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}

/** Other programs rely on it: fields may be added, but never renamed. Times are seconds, shares are of 1. */
export function document({ prometheus, seconds, collected, arms, differences, baseline }: Rollout, until: Date) {
  const { flag, hosts, unit, histograms, arms: sizes } = collected;
  return {
    ...{ prometheus, flag, until: until.toISOString(), seconds, histograms, hosts, unit, baseline },
    arms: [...arms].map(([variant, own]) => ({ variant, ...sizes.get(variant), ...own })),
    differences: [...differences].map(([variant, own]) => ({
      variant,
      ...Object.fromEntries(MEASURE_NAMES.map((name) => [name, { ...own[name], verdict: verdict(own[name]) }])),
    })),
  };
}
