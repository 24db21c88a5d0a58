/** A knob that does not exist, beside the real ones: how loud a thread is. What a thread has is kept here. */
import type { Knob } from '../../src/actuator/knob.ts';
import type { ProcHandle } from '../../src/proc/handle.ts';

/** What a thread has that nobody has written. */
const ORIGINAL = 80n;
const MAX = 100n;

const volumes = new Map<number, bigint>();

export const volume: Knob = {
  id: 'volume_percent',
  title: 'volume',
  about: 'Volume is how loud a thread is.',
  option: 'optimize-volume',
  help: 'set the volume of agents to this (unit: %); not changed unless given',
  defaultTarget: 11n,
  mend: 'turn it down by hand',
  support: () => ({ name: 'volume', ok: false, detail: 'nothing here has a volume', mend: 'buy a loudspeaker' }),
  parse(text: string): bigint {
    const [, digits] = /^(\d+)%?$/.exec(text) ?? [];
    if (digits === undefined || BigInt(digits) > MAX) throw new RangeError(`"${text}" is no volume: 0% to 100%`);
    return BigInt(digits);
  },
  format: (value) => `${value}%`,
  read: ({ id }: ProcHandle) => volumes.get(id) ?? ORIGINAL,
  write: ({ id }: ProcHandle, value) => void volumes.set(id, value),
  verify: (thread) => volume.read(thread),
  restore: (thread, original) => volume.write(thread, original),
  exempt: ({ state }) => (state === 'Z' || state === 'X' ? 'zombie' : undefined),
  improves: (value, target) => target < value,
  inherited: (value) => value,
};
