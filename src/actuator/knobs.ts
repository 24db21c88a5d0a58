import type { Knob } from './knob.ts';
import { schedSlice } from './schedSlice.ts';
import { timerSlack } from './timerSlack.ts';
import { toolPriority } from './toolPriority.ts';

/** All knobs: the gate is asked about each, and a ledger entry may name each. */
export const KNOBS: readonly Knob[] = [timerSlack, schedSlice, toolPriority];
