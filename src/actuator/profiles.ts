/** Sets of knobs under one name: `--optimize`, the flag `taut.optimize`, and the key `profile` of a rule. Pure. */
import type { Knob } from './knob.ts';

/**
 * - `responsive`: what people feel beside a build: the agent's slice and the priority of its tools
 * - `timers`: what the agent's own timers feel: timer slack
 * - `all`: every knob
 */
export const PROFILES = ['responsive', 'timers', 'all'] as const;
export type Profile = (typeof PROFILES)[number];

/** Its option, which may stand alone as those of knobs may. */
export const PROFILE = {
  option: 'optimize',
  defaultTarget: 'responsive',
  /** @throws RangeError */
  parse(text: string): Profile {
    const profile = PROFILES.find((one) => one === text.toLowerCase());
    if (profile) return profile;
    throw new RangeError(`"${text}" is no profile: ${PROFILES.slice(0, -1).join(', ')} or ${PROFILES.at(-1)}`);
  },
} as const;

/** Whether a profile sets a knob. */
export function isIn(profile: Profile, knob: Pick<Knob, 'profile'>): boolean {
  return profile === 'all' || profile === knob.profile;
}
