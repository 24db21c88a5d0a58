/** What Prometheus is asked, in the names that it has for taut's metrics and attributes. Pure. */
import type { Quantity } from '../../telemetry/metrics.ts';
import * as semconv from '../../telemetry/semconv.ts';

/** How a Prometheus names a metric, and in which form it has its histograms. */
export interface Stored {
  /** Without `_bucket`. */
  readonly metric: string;
  readonly kind: 'native' | 'classic';
  /** Whether attributes keep their dots. */
  readonly dots: boolean;
}

/** What a series had at the start of the time is looked for so far back: an export may be late. */
const LOOK_BACK_S = 900;

/** Matches every name that a Prometheus may have for a metric. */
export function namePattern(quantity: Quantity): string {
  return `taut[._]${quantity.replaceAll(/[._]/g, '[._]')}(_seconds)?(_bucket)?`;
}

/** The metric among the names that a Prometheus has. Native histograms have all that classic ones have, and more. */
export function stored(quantity: Quantity, names: readonly string[]): Stored | undefined {
  const pattern = new RegExp(`^${namePattern(quantity)}$`);
  const own = names.filter((name) => pattern.test(name));
  const name = own.find((one) => !one.endsWith('_bucket')) ?? own[0];
  if (name === undefined) return undefined;
  const kind = name.endsWith('_bucket') ? 'classic' : 'native';
  return { metric: name.replace(/_bucket$/, ''), kind, dots: name.startsWith('taut.') };
}

/** An attribute as a label. */
export function label(attribute: string, { dots }: Pick<Stored, 'dots'>): string {
  return dots ? attribute : attribute.replaceAll('.', '_');
}

/** A name as a selector or `by` takes it: what is no plain name needs Prometheus 3. */
function quoted(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}

export interface Wanted {
  readonly seconds: number;
  /** Just this flag. */
  readonly flag?: string | undefined;
}

/** Of a resource; Prometheus has it on series where it was told to. */
export const HOST_NAME = 'host.name';

/** Of whom a series is, with what it has to be multiplied and by what arms differ. */
const ARMS = [
  semconv.ATTR_FEATURE_FLAG_KEY,
  semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT,
  semconv.ATTR_TAUT_SAMPLING_FACTOR,
];
const HOST = ['job', 'instance', HOST_NAME];
const AGENT = [...HOST, semconv.ATTR_PROCESS_PID, semconv.ATTR_PROCESS_CREATION_TIME];

/** How often each agent was woken in the time, by variant. */
export function countsOf(queue: Stored, wanted: Wanted): string {
  if (queue.kind === 'native')
    return sumBy([...AGENT, ...ARMS], queue, `histogram_count(${grown(queue.metric, queue, wanted)})`);
  return sumBy([...AGENT, ...ARMS], queue, grown(`${queue.metric}_count`, queue, wanted));
}

/** The histogram of each agent or host in the time, by variant. @param only values of attributes that series must have. */
export function histogramsOf(
  what: Stored,
  wanted: Wanted,
  unit: 'agent' | 'host',
  only: Readonly<Record<string, string>> = {},
): string {
  const by = [...(unit === 'agent' ? AGENT : HOST), ...ARMS];
  if (what.kind === 'native') return sumBy(by, what, grown(what.metric, what, wanted, only));
  return sumBy([...by, 'le'], what, grown(`${what.metric}_bucket`, what, wanted, only));
}

/** Who the hosts are: the resource attributes of the processes that exported. */
export function hostsOf(jobs: readonly string[], { seconds }: Wanted): string {
  const any = jobs.map(escaped).join('|');
  return `last_over_time(target_info{job=~${JSON.stringify(any)}}[${seconds}s])`;
}

/**
 * What was added in the time. Not `increase`: that guesses beyond the first and the last sample, and of an agent that was exported
 * once it sees nothing. Series count from 0 when an agent is attached, so one that is new has grown by all that it has.
 */
function grown(
  metric: string,
  { dots }: Stored,
  { seconds, flag }: Wanted,
  only: Readonly<Record<string, string>> = {},
): string {
  const is = (attribute: string, operator: string, value: string) =>
    `${quoted(label(attribute, { dots }))}${operator}${JSON.stringify(value)}`;
  const key = flag === undefined ? '.+' : `(.*,)?${escaped(flag.replaceAll(',', '%2C'))}(,.*)?`;
  const matchers = [
    is(semconv.ATTR_FEATURE_FLAG_KEY, '=~', key),
    ...Object.entries(only).map(([attribute, value]) => is(attribute, '=', value)),
  ].join(', ');
  const name = quoted(metric);
  const selector = name === metric ? `${name}{${matchers}}` : `{${name}, ${matchers}}`;
  const [end, start] = [
    `last_over_time(${selector}[${seconds}s])`,
    `last_over_time(${selector}[${LOOK_BACK_S}s] offset ${seconds}s)`,
  ];
  return `((${end} - ${start}) or ${end})`;
}

function sumBy(attributes: readonly string[], of: Stored, expression: string): string {
  return `sum by (${attributes.map((one) => quoted(label(one, of))).join(', ')}) (${expression})`;
}

/** As a part of a regular expression. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
