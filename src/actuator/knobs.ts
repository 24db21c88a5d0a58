import type { Knob } from './knob.ts';
import { timerSlack } from './timerSlack.ts';

/** Every knob that there is: what the gate is asked about, and what a ledger may name. */
export const KNOBS: readonly Knob[] = [timerSlack];

/** A value as people read it; of a knob that this taut does not know, the number. */
export function formatValue(knobId: string, value: bigint): string {
  return KNOBS.find((knob) => knob.id === knobId)?.format(value) ?? String(value);
}
