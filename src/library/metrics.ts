/** The metric producer that an application gives to its reader. Loads nothing of taut until taut has started. */

/** What is measured, each time that it is collected. */
export interface Source {
  collect(): Promise<unknown>;
}

export interface TautMetricsOptions {
  /** Whether points say what was counted since the attach, or since the last collection. Default: `cumulative`. */
  readonly temporality?: Temporality;
}

export type Temporality = 'cumulative' | 'delta';

/** Typed `never`, so that it is the result of a `MetricProducer` in every version of the SDK. */
export interface Collected {
  readonly resourceMetrics: { readonly resource: never; readonly scopeMetrics: never[] };
  readonly errors: never[];
}

/** Connects a producer to what a running taut measures; undefined: to nothing. */
export let connect: (metrics: TautMetrics, source: Source | undefined) => void;

/**
 * A `MetricProducer` of OpenTelemetry's SDK, 2.x or 3.x: one reader takes it among its `metricProducers`, and `startTaut` as `metrics`.
 * Without it everything but the kernel's histograms is exported. It produces nothing before taut has started. After taut has
 * ended, the next collection has the last counts.
 */
export class TautMetrics {
  readonly temporality: Temporality;
  #source: Source | undefined;

  constructor({ temporality = 'cumulative' }: TautMetricsOptions = {}) {
    this.temporality = temporality;
  }

  /** Called by the reader; never rejects. */
  async collect(): Promise<Collected> {
    return ((await this.#source?.collect()) ?? NOTHING) as Collected;
  }

  static {
    connect = (metrics, source) => {
      metrics.#source = source;
    };
  }
}

/** A reader takes the scopes alone: the resource is that of its own provider. */
const NOTHING = { resourceMetrics: { resource: undefined, scopeMetrics: [] }, errors: [] };
