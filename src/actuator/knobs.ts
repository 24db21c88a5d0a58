import type { Knob } from './knob.ts';
import { timerSlack } from './timerSlack.ts';

/** All knobs: the gate is asked about each, and a ledger entry may name each. */
export const KNOBS: readonly Knob[] = [timerSlack];

/** Formats a value for people; a plain number if this taut does not know the knob. */
export function formatValue(knobId: string, value: bigint): string {
  return KNOBS.find((knob) => knob.id === knobId)?.format(value) ?? String(value);
}
