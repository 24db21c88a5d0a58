import type { Knob } from './knob.ts';
import { timerSlack } from './timerSlack.ts';

/** Every knob that a ledger may name. */
export const KNOBS: readonly Knob[] = [timerSlack];
