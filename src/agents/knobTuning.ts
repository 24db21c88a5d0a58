import type { Knob } from '../actuator/knob.ts';
import type { Restored } from '../actuator/restore.ts';
import type { ThreadState } from '../actuator/thread.ts';
import type { GateDecision } from '../gate/gate.ts';

/** One knob of an agent: of its own threads (`tuning.ts`), or of those of its tools (`toolsTuning.ts`). */
export interface KnobTuning {
  readonly knob: Knob;
  /** The gate's last decision. */
  readonly gate: GateDecision;
  /** The value that is written now, in the knob's unit; undefined when nothing is changed. */
  readonly target: bigint | undefined;
  /** Every thread that was looked at, by its id. */
  readonly threads: ReadonlyMap<number, ThreadState>;
  /** When the last decision was carried out and verified, milliseconds since the epoch. */
  readonly settledAtMs: number;
  /** As `Containment.ranNs`, since the agent was attached to. */
  readonly inheritedNs: bigint | undefined;
  /** Carries out the gate's decision. */
  decide(decision: GateDecision): void;
  /** Looks for what events did not tell, and for values that another program has set; it leaves these values. */
  reconcile(isAgent: (pid: number) => boolean): void;
  /** Puts back every thread that taut changed. @returns one outcome per thread. */
  revert(reason: string): Restored[];
  /** Whether it is put back for a while, by `pause`. */
  readonly isPaused: boolean;
  /** Puts back, until `resume` or the gate's next decision. What somebody else has set stays left alone after that. */
  pause(reason: string): void;
  resume(): void;
  /** Ends tuning: reports what was not reported yet. */
  end(): void;
}

/** The decision that is in force: a knob that is paused is the guardrail's. */
export function gateNow({ gate, isPaused }: Pick<KnobTuning, 'gate' | 'isPaused'>): GateDecision {
  if (!isPaused) return gate;
  return {
    layer: 'guardrail',
    value: null,
    reason: `held back for one window of a trial; before and after: ${gate.reason}`,
  };
}
