/** Every way in which taut may end. */
import type { Ending } from './ending.ts';
import { SIGNALS } from './signals.ts';
import { STREAMS } from './streams.ts';
import { SURROUNDINGS } from './surroundings.ts';

export const ROWS: readonly Ending[] = [...SIGNALS, ...STREAMS, ...SURROUNDINGS];
