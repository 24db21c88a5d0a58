/** Knobs that do not exist, beside the real ones. What a thread has is kept here. */
import type { Knob } from '../../src/actuator/knob.ts';

/** What a thread has that nobody has written. */
const ORIGINAL = 80n;
const MAX = 100n;

/** A knob that is a percentage. `title`: one word. */
export function madeUpKnob(title: string): Knob {
  const values = new Map<number, bigint>();
  const knob: Knob = {
    id: `${title}_percent`,
    title,
    about: `Nobody knows what the ${title} of a thread is.`,
    option: `optimize-${title}`,
    help: `set the ${title} of agents to this (unit: %); not changed unless given`,
    eases: 'timers',
    defaultTarget: 11n,
    mend: 'turn it down by hand',
    support: () => ({ name: title, ok: true, detail: `every thread has a ${title}`, mend: '' }),
    parse(text) {
      const [, digits] = /^(\d+)%?$/.exec(text) ?? [];
      if (digits === undefined || BigInt(digits) > MAX) throw new RangeError(`"${text}" is no ${title}: 0% to 100%`);
      return BigInt(digits);
    },
    format: (value) => `${value}%`,
    read: ({ id }) => values.get(id) ?? ORIGINAL,
    write: ({ id }, value) => void values.set(id, value),
    verify: (thread) => knob.read(thread),
    restore: (thread, original) => knob.write(thread, original),
    exempt: ({ state }) => (state === 'Z' || state === 'X' ? 'zombie' : undefined),
    improves: (value, target) => target < value,
    inherited: (value) => value,
  };
  return knob;
}

export const volume = madeUpKnob('volume');
