/** One metric producer of everything that is measured, for a reader that is not taut's own. */
import { emptyResource } from '@opentelemetry/resources';
import { AggregationTemporality, type CollectionResult, type MetricProducer } from '@opentelemetry/sdk-metrics';
import { CanaryLatency } from './canaryProducer.ts';
import { Exported } from './exported.ts';
import { KernelHistograms } from './producer.ts';
import { RunQueueTimes } from './runQueueProducer.ts';
import type { Measured } from './sdk.ts';

const TEMPORALITY = { cumulative: AggregationTemporality.CUMULATIVE, delta: AggregationTemporality.DELTA } as const;

/** Nobody tells whether a foreign reader's export succeeded, so what was collected counts as exported. */
export class Combined implements MetricProducer {
  #measured: Measured;
  readonly #exported = new Exported();
  readonly #producers: readonly MetricProducer[];

  constructor(measured: Measured, temporality: keyof typeof TEMPORALITY) {
    this.#measured = measured;
    const common = {
      mode: () => this.#measured.mode(),
      temporality: TEMPORALITY[temporality],
      exported: this.#exported,
    };
    this.#producers = [
      new KernelHistograms({ snapshots: () => this.#measured.snapshots(), ...common }),
      new CanaryLatency({ latency: () => this.#measured.canaryLatency(), ...common }),
      new RunQueueTimes({ times: () => this.#measured.runQueueTimes(), ...common }),
    ];
    this.#exported.on(() => this.#measured.exported());
  }

  async collect(): Promise<CollectionResult> {
    const results = await Promise.all(this.#producers.map((producer) => producer.collect()));
    this.#exported.tell();
    return {
      resourceMetrics: {
        resource: emptyResource(),
        scopeMetrics: results.flatMap(({ resourceMetrics }) => resourceMetrics.scopeMetrics),
      },
      errors: results.flatMap(({ errors }) => errors),
    };
  }

  /** Measuring ends: the next collection has what is read now, and later ones nothing. */
  end(): void {
    const { mode, ...source } = this.#measured;
    let [snapshots, times, latency] = [[...source.snapshots()], source.runQueueTimes(), source.canaryLatency()];
    const last = mode();
    this.#measured = {
      mode: () => last,
      snapshots: () => snapshots,
      runQueueTimes: () => times,
      canaryLatency: () => latency,
      exported: () => {
        [snapshots, times, latency] = [[], [], undefined];
      },
    };
  }
}
