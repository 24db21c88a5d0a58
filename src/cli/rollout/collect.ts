/** Reads from a Prometheus what the arms of a roll-out waited for. */
import * as semconv from '../../telemetry/semconv.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Unit } from './bootstrap.ts';
import { type Bucket, Cells, fromClassic } from './distribution.ts';
import type { Histogram } from './measures.ts';
import type { Prometheus, Sample } from './prometheus.ts';
import {
  countsOf,
  HOST_NAME,
  histogramsOf,
  hostsOf,
  label,
  namePattern,
  type Stored,
  stored,
  type Wanted,
} from './queries.ts';

/** With fewer hosts the agents are drawn: what differs between hosts can't be told then. */
export const ENOUGH_HOSTS = 10;

type Asked = Pick<Prometheus, 'name' | 'query' | 'names'>;

export interface Arm {
  readonly agents: number;
  readonly wakeups: number;
}

export interface Collected {
  readonly flag: string;
  readonly histograms: Stored['kind'];
  readonly hosts: number;
  readonly unit: 'agent' | 'host';
  readonly units: readonly Unit[];
  readonly cells: Readonly<Record<Histogram, Cells>>;
  /** By the variant. */
  readonly arms: ReadonlyMap<string, Arm>;
}

/** @param until the end of the time, seconds since the epoch. @throws CliError when there is nothing to compare */
export async function collect(prometheus: Asked, wanted: Wanted, until: number): Promise<Collected> {
  const quantities = ['timer.lateness', 'wakeup.run_queue_delay'] as const;
  const any = `{__name__=~${JSON.stringify(quantities.map(namePattern).join('|'))}}`;
  const names = await prometheus.names(any, until - wanted.seconds, until);
  const [lateness, queue] = quantities.map((quantity) => stored(quantity, names));
  if (!queue) throw new CliError(noMetrics(prometheus), EXIT.failed);
  const counts = await prometheus.query(countsOf(queue, wanted), until);
  const flag = wanted.flag ?? onlyFlag(counts, queue, prometheus);
  const hosts = await hostNames(prometheus, counts, queue, wanted, until);
  const read = new Reader(flag, queue, hosts);
  const agents = counts.filter((sample) => Number(sample.value?.[1]) > 0 && read.variant(sample) !== undefined);
  if (agents.length === 0) throw new CliError(noVariants(prometheus, flag), EXIT.failed);
  const hostCount = new Set(agents.map((sample) => read.host(sample))).size;
  const unit = hostCount >= ENOUGH_HOSTS ? 'host' : 'agent';
  const histograms = await Promise.all([
    lateness &&
      prometheus.query(
        histogramsOf(lateness, wanted, unit, { [semconv.ATTR_TAUT_TIMER_SLACK_CLASS]: 'reachable' }),
        until,
      ),
    prometheus.query(histogramsOf(queue, wanted, unit), until),
  ]);
  const byArm = Map.groupBy(agents, (sample) => read.variant(sample) ?? '');
  return {
    ...{ flag, histograms: queue.kind, hosts: hostCount, unit },
    ...unitsOf(read, unit, { lateness: histograms[0] ?? [], queue: histograms[1] }),
    arms: new Map(
      [...byArm].map(([variant, own]) => {
        const wakeups = own.reduce((sum, sample) => sum + read.factor(sample) * Number(sample.value?.[1]), 0);
        return [
          variant,
          { agents: new Set(own.map((sample) => read.agent(sample))).size, wakeups: Math.round(wakeups) },
        ];
      }),
    ),
  };
}

/** Reads the labels of a sample. */
class Reader {
  readonly #flag: string;
  readonly #stored: Stored;
  readonly #hosts: ReadonlyMap<string, string>;

  constructor(flag: string, stored: Stored, hosts: ReadonlyMap<string, string>) {
    this.#flag = flag;
    this.#stored = stored;
    this.#hosts = hosts;
  }

  /** What the flag gave the agents of a sample; undefined when other flags decided. */
  variant(sample: Sample): string | undefined {
    const keys = listed(this.#label(sample, semconv.ATTR_FEATURE_FLAG_KEY));
    return listed(this.#label(sample, semconv.ATTR_FEATURE_FLAG_RESULT_VARIANT))[keys.indexOf(this.#flag)];
  }

  host(sample: Sample): string {
    return this.#label(sample, HOST_NAME) || this.#hosts.get(processOf(sample)) || processOf(sample);
  }

  agent(sample: Sample): string {
    const own = [semconv.ATTR_PROCESS_PID, semconv.ATTR_PROCESS_CREATION_TIME].map((name) => this.#label(sample, name));
    return [this.host(sample), ...own].join(' ');
  }

  /** One wakeup in so many was recorded. */
  factor(sample: Sample): number {
    return Number(this.#label(sample, semconv.ATTR_TAUT_SAMPLING_FACTOR) || 1);
  }

  #label({ metric }: Sample, attribute: string): string {
    return metric[label(attribute, this.#stored)] ?? '';
  }
}

/** The taut that exported it. */
function processOf({ metric }: Sample): string {
  return `${metric['job']} ${metric['instance']}`;
}

/** Several flags or variants have commas between (`variantOf` in src/agents/variant.ts). */
function listed(text: string): string[] {
  return text === '' ? [] : text.split(',').map((one) => one.replaceAll('%2C', ','));
}

function onlyFlag(counts: readonly Sample[], stored: Stored, prometheus: Asked): string {
  const keys = counts.flatMap(({ metric }) => listed(metric[label(semconv.ATTR_FEATURE_FLAG_KEY, stored)] ?? ''));
  const [flag, ...others] = [...new Set(keys)].sort();
  if (flag === undefined) throw new CliError(noVariants(prometheus, undefined), EXIT.failed);
  if (others.length === 0) return flag;
  const all = [flag, ...others].join(', ');
  throw new CliError(`several flags decide: ${all}; name one, like --flag ${flag}`, EXIT.usage);
}

/** By the process that exported: a taut that was started again is on the same host. */
async function hostNames(
  prometheus: Asked,
  counts: readonly Sample[],
  stored: Stored,
  wanted: Wanted,
  until: number,
): Promise<ReadonlyMap<string, string>> {
  const isNamed = ({ metric }: Sample) => metric[label(HOST_NAME, stored)] !== undefined;
  const jobs = [...new Set(counts.filter((one) => !isNamed(one)).flatMap(({ metric }) => metric['job'] ?? []))];
  if (jobs.length === 0) return new Map();
  const found = await prometheus.query(hostsOf(jobs, wanted), until);
  return new Map(
    found.flatMap((sample) => {
      const name = sample.metric[HOST_NAME] ?? sample.metric[HOST_NAME.replace('.', '_')];
      return name === undefined ? [] : [[processOf(sample), name] as const];
    }),
  );
}

interface Part {
  readonly unit: string;
  readonly variant: string;
  readonly factor: number;
  readonly buckets: readonly Bucket[];
}

function unitsOf(read: Reader, unit: Collected['unit'], samples: Readonly<Record<Histogram, readonly Sample[]>>) {
  const parts = { lateness: partsOf(read, unit, samples.lateness), queue: partsOf(read, unit, samples.queue) };
  const cells = {
    lateness: new Cells(parts.lateness.map(({ buckets }) => buckets)),
    queue: new Cells(parts.queue.map(({ buckets }) => buckets)),
  };
  const units = new Map<string, Map<string, Partial<Record<Histogram, Float64Array>>>>();
  for (const kind of ['lateness', 'queue'] as const)
    for (const { unit: id, variant, factor, buckets } of parts[kind]) {
      const arms = units.get(id) ?? new Map();
      const arm = arms.get(variant) ?? {};
      const counts = arm[kind] ?? cells[kind].empty();
      cells[kind].add(counts, buckets, factor);
      units.set(id, arms.set(variant, { ...arm, [kind]: counts }));
    }
  return { cells, units: [...units.values()].map((arms) => ({ arms })) };
}

function partsOf(read: Reader, unit: Collected['unit'], samples: readonly Sample[]): Part[] {
  const about = (sample: Sample) => {
    const variant = read.variant(sample);
    return variant === undefined ? [] : [{ unit: read[unit](sample), variant, factor: read.factor(sample) }];
  };
  const native = samples.filter(({ histogram }) => histogram);
  const classic = Map.groupBy(
    samples.filter(({ histogram }) => !histogram),
    ({ metric: { le: _, ...others } }) => JSON.stringify(others),
  );
  const all = [
    ...native.map((sample) => ({ sample, buckets: nativeBuckets(sample) })),
    ...[...classic.values()].map((own) => ({ sample: own[0] as Sample, buckets: classicBuckets(own) })),
  ];
  // What is below 0 was counted anew in the time, by a collector that names its taut by no `instance`.
  const right = all.filter(({ buckets }) => buckets.length > 0 && buckets.every(({ count }) => count >= 0));
  return right.flatMap(({ sample, buckets }) => about(sample).map((of) => ({ ...of, buckets })));
}

function nativeBuckets({ histogram }: Sample): Bucket[] {
  const buckets = histogram?.[1].buckets ?? [];
  return buckets.map(([, left, right, count]) => ({ left: Number(left), right: number(right), count: Number(count) }));
}

function classicBuckets(samples: readonly Sample[]): Bucket[] {
  return fromClassic(
    samples.map(({ metric, value }) => ({ le: number(metric['le'] ?? ''), count: Number(value?.[1]) })),
  );
}

/** Prometheus writes `+Inf`. */
function number(text: string): number {
  return /^\+?Inf$/.test(text) ? Number.POSITIVE_INFINITY : Number(text);
}

function noMetrics({ name }: Asked): string {
  return `${name} has no metric taut.wakeup.run_queue_delay of that time; export to it, and see that it takes native histograms (Prometheus 2: --enable-feature=native-histograms), or a longer time with --since`;
}

function noVariants({ name }: Asked, flag: string | undefined): string {
  const what = flag === undefined ? 'no agent that a flag decided on' : `no agent that the flag ${flag} decided on`;
  return `${name} has ${what} in that time; is taut started with --flags or --flag-provider there, and in a mode that counts wakeups?`;
}
