/** A flag's value that is an object: what to set, what children get, and until when. Pure. */
import { DESCENDANTS, type Descendants } from '../actuator/descendants.ts';
import { nearest } from '../config/nearest.ts';
import { isObject } from './json.ts';

export interface FlagObject {
  readonly value: boolean | number | string;
  readonly descendants?: Descendants;
  /** RFC 3339. From then on the flag counts as off. */
  readonly until?: string;
}

const MEMBERS = ['value', 'descendants', 'until'];

/** @throws RangeError with what is wrong, and what was meant. */
export function flagObject(given: unknown): FlagObject {
  if (!isObject(given))
    throw new RangeError('an object is wanted, like {"value": true, "until": "2030-01-31T18:00:00Z"}');
  for (const key of Object.keys(given).filter((one) => !MEMBERS.includes(one))) {
    const near = nearest(key, MEMBERS);
    throw new RangeError(
      `unknown member "${key}"; ${near ? `did you mean "${near}"?` : `there are ${MEMBERS.join(', ')}`}`,
    );
  }
  const { value, descendants, until } = given;
  if (value === undefined) throw new RangeError('value: is missing');
  if (typeof value !== 'boolean' && typeof value !== 'number' && typeof value !== 'string')
    throw new RangeError('value: true, false, a number, or a text like "10us" or "off" is wanted');
  const how = DESCENDANTS.find((one) => one === descendants);
  if (descendants !== undefined && how === undefined)
    throw new RangeError(`descendants: ${JSON.stringify(descendants)} is none of ${DESCENDANTS.join(', ')}`);
  if (until !== undefined && !isTime(until))
    throw new RangeError(`until: ${JSON.stringify(until)} is no time; write it like 2030-01-31T18:00:00Z`);
  return { value, ...(how && { descendants: how }), ...(until !== undefined && { until }) };
}

/** RFC 3339, with a day that the month has. */
function isTime(given: unknown): given is string {
  const parts = typeof given === 'string' ? TIME.exec(given) : null;
  if (!parts || Number.isNaN(Date.parse(parts[0]))) return false;
  const [year, month, day] = parts.slice(1, 4).map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day)).getUTCDate() === day;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether a flag's time is over. */
export function isOver(until: string | undefined): boolean {
  return until !== undefined && Date.parse(until) <= Date.now();
}
