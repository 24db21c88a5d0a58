/** A flag's value that is an object: what to set, what children get, until when, and what the guardrail allows. Pure. */
import { DESCENDANTS, type Descendants } from '../actuator/descendants.ts';
import type { RuleGuardrail } from '../config/agentLimits.ts';
import { ofAgent, ruleGuardrailSchema } from '../config/guardrail.ts';
import { nearest } from '../config/nearest.ts';
import { isObject, type JsonObject } from './json.ts';

export interface FlagObject {
  readonly value: boolean | number | string;
  readonly descendants?: Descendants;
  /** RFC 3339. From then on the flag counts as off. */
  readonly until?: string;
  /** Limits of the agents that it tunes; `off`: the guardrail does not look at them. */
  readonly guardrail?: RuleGuardrail;
}

const MEMBERS = ['value', 'descendants', 'until', 'guardrail'];

/** @throws RangeError with what is wrong, and what was meant. */
export function flagObject(given: unknown): FlagObject {
  if (!isObject(given))
    throw new RangeError('an object is wanted, like {"value": true, "until": "2030-01-31T18:00:00Z"}');
  onlyKnown(given, MEMBERS, '');
  const { value, descendants, until, guardrail } = given;
  if (value === undefined) throw new RangeError('value: is missing');
  if (typeof value !== 'boolean' && typeof value !== 'number' && typeof value !== 'string')
    throw new RangeError('value: true, false, a number, or a text like "10us" or "off" is wanted');
  const how = DESCENDANTS.find((one) => one === descendants);
  if (descendants !== undefined && how === undefined)
    throw new RangeError(`descendants: ${JSON.stringify(descendants)} is none of ${DESCENDANTS.join(', ')}`);
  if (until !== undefined && !isTime(until))
    throw new RangeError(`until: ${JSON.stringify(until)} is no time; write it like 2030-01-31T18:00:00Z`);
  return {
    value,
    ...(how && { descendants: how }),
    ...(until !== undefined && { until }),
    ...(guardrail !== undefined && { guardrail: limits(guardrail) }),
  };
}

function limits(given: unknown): RuleGuardrail {
  if (isObject(given)) onlyKnown(given, Object.keys(ofAgent), 'guardrail: ');
  const { data, error } = ruleGuardrailSchema.safeParse(given);
  if (data !== undefined) return data;
  const wrong =
    isObject(given) && Object.keys(given).find((key) => !ruleGuardrailSchema.safeParse({ [key]: given[key] }).success);
  const where = wrong ? `guardrail: ${wrong}` : 'guardrail';
  throw new RangeError(`${where}: limits like {"cpu": "10%"}, or "off" are wanted`, { cause: error });
}

function onlyKnown(given: JsonObject, known: readonly string[], where: string): void {
  const key = Object.keys(given).find((one) => !known.includes(one));
  if (key === undefined) return;
  const near = nearest(key, known);
  const mend = near ? `did you mean "${near}"?` : `there are ${known.join(', ')}`;
  throw new RangeError(`${where}unknown member "${key}"; ${mend}`);
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
