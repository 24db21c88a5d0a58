/** What is compared beside the build, and in which order. Pure. */
import type { Knob } from '../../actuator/knob.ts';
import type { Targets } from '../../gate/gate.ts';

/** One way to have the knobs. */
export interface Arm {
  readonly name: string;
  /** Empty: as found. */
  readonly targets: Targets;
}

/** As found, with each knob alone, with all of them, and put back. */
export function armsOf(knobs: readonly Knob[]): Arm[] {
  const targets = knobs.map(({ id, defaultTarget }) => [id, defaultTarget] as const);
  return [
    { name: 'as found', targets: new Map() },
    ...knobs.map((knob, i) => ({
      name: `${knob.title} ${knob.format(knob.defaultTarget)}`,
      targets: new Map(targets.slice(i, i + 1)),
    })),
    ...(knobs.length > 1 ? [{ name: 'all of these', targets: new Map(targets) }] : []),
    { name: 'put back', targets: new Map() },
  ];
}

/** Every other round goes backwards, so that a load of the host that grows or falls favours no arm. */
export function inRound<T>(arms: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? arms : arms.toReversed();
}
