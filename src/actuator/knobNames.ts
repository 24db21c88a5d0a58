/** What a knob is called: in configurations, and for people. Goes by the list of knobs. Pure. */
import type { Knob } from './knob.ts';
import { KNOBS } from './knobs.ts';

/** The key of a knob's value in a configuration's rule, and what commander calls its option: `optimizeTimerSlack`. */
export function keyOf({ option }: Pick<Knob, 'option'>): `optimize${string}` {
  return `optimize${option.slice('optimize'.length).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

/** Every knob's title, as a sentence names them: `timer slack`, or `a, b and c`. */
export const TITLES = listed(
  KNOBS.map(({ title }) => title),
  'and',
);

/** Every knob's option, as a sentence names them: `--optimize-timer-slack`, or `--a, --b or --c`. */
export const OPTIONS = listed(
  KNOBS.map(({ option }) => `--${option}`),
  'or',
);

export function listed(words: readonly string[], last: 'and' | 'or'): string {
  return [words.slice(0, -1).join(', '), words.at(-1)].filter(Boolean).join(` ${last} `);
}

const BY_ID: ReadonlyMap<string, Knob> = new Map(KNOBS.map((knob) => [knob.id, knob]));

/** The title of a knob; its id if this taut does not know the knob, as of a later one. */
export function titleOf(knobId: string): string {
  return BY_ID.get(knobId)?.title ?? knobId;
}

/** Formats a value for people; a plain number if this taut does not know the knob. */
export function formatValue(knobId: string, value: bigint): string {
  return BY_ID.get(knobId)?.format(value) ?? String(value);
}
