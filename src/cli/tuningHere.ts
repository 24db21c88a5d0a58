/** What doctor says of each knob: whether it can be tuned on this host, with these privileges. Pure. */
import { listed } from '../actuator/knobNames.ts';

export interface TuningHere {
  /** The knob's id. */
  readonly id: string;
  readonly title: string;
  readonly tune: boolean;
}

/** `yes` and `no` where they hold for every knob. */
export function describeTuning(knobs: readonly TuningHere[]): string {
  const titles = (tune: boolean) =>
    listed(
      knobs.filter((knob) => knob.tune === tune).map(({ title }) => title),
      'and',
    );
  if (knobs.every(({ tune }) => tune)) return 'yes';
  return knobs.some(({ tune }) => tune) ? `${titles(true)}, but not ${titles(false)}` : 'no';
}
