import type { Attributes } from '@opentelemetry/api';

/** What the observed metrics are computed from, at each collection. */
export interface Observable {
  /** The attached agents. */
  agents(): readonly { readonly attachPath: string; readonly isTuned: boolean }[];
  /** The threads of all of them, for each knob (its id) by their state. */
  threads(): readonly { readonly knob: string; readonly state: string; readonly count: number }[];
  /** Cumulative counts of what became of each wakeup, by the names in `native/include/taut.h`. */
  tracerCounters(): ReadonlyMap<string, number>;
  /** CPU time of taut's own process, seconds: in user space, and in the kernel for it. */
  ownCpu(): { readonly user: number; readonly system: number };
  /** CPU time of taut's BPF programs. Undefined when it is not known. */
  kernelCpu(): { readonly seconds: number; readonly method: string } | undefined;
  /** Whether the canary and the tracer disagree. Undefined when there is no canary. */
  isDegraded(): boolean | undefined;
  /** Whether the kill switch keeps taut from tuning. Undefined where there is none. */
  isOff(): boolean | undefined;
  /** Whether the provider of feature flags is ready. Undefined where no flag decides. */
  hasFlags(): boolean | undefined;
}

/** One value of a metric, and the attributes that split it from the others. */
export interface Reading {
  readonly value: number;
  readonly by?: Attributes;
}
