/** What the observed metrics read of the agents, of the tracer and of taut's own process. */
import type { Knob } from '../actuator/knob.ts';
import type { Observable } from '../telemetry/observable.ts';
import { observeAll } from '../telemetry/observe.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { AgentIdentity, ThreadCounts } from './identity.ts';

export interface Observed
  extends Pick<Observable, 'tracerCounters' | 'kernelCpu' | 'isDegraded' | 'isOff' | 'hasFlags'> {
  /** The tracer's mode, an attribute of every point. */
  readonly mode: string;
  readonly knobs: readonly Knob[];
  agents(): readonly {
    readonly identity: Pick<AgentIdentity, 'attachPath'>;
    readonly isTuned: boolean;
    readonly threadCount: number;
    counts(knob: Knob, threads: number): ThreadCounts;
  }[];
}

/** Registers the instruments. @returns a function that ends observing them. */
export function observe({ mode, knobs, agents, ...others }: Observed): () => void {
  const observable: Observable = {
    ...others,
    agents: () => agents().map(({ identity: { attachPath }, isTuned }) => ({ attachPath, isTuned })),
    threads: () => {
      // The threads of an agent are listed once: all that is observed is one block of the event loop.
      const present = agents().map((agent) => ({ agent, threads: agent.threadCount }));
      return knobs.flatMap((knob) => {
        const counts = present.map(({ agent, threads }) => agent.counts(knob, threads));
        return (['original', 'tuned', 'drifted', 'exempt'] as const).map((state) => ({
          ...{ knob: knob.id, state, count: counts.reduce((sum, count) => sum + count[state], 0) },
        }));
      });
    },
    ownCpu: () => {
      const { user, system } = process.cpuUsage();
      return { user: user / 1e6, system: system / 1e6 };
    },
  };
  return observeAll(observable, { [semconv.ATTR_TAUT_TRACER_MODE]: mode });
}
