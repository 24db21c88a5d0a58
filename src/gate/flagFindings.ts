/** Mistakes of a flag file, each with its position and a suggestion. Pure. */
import { FlagdCore } from '@openfeature/flagd-core';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { PROFILE } from '../actuator/profiles.ts';
import { FLAG_PREFIX } from '../config/flagNames.ts';
import { type Mistake, positionOfKey, positionOfValue, withPositions } from '../config/mistakes.ts';
import { nearest } from '../config/nearest.ts';
import { type FlagObject, flagObject, isOver } from './flagObject.ts';
import { flagKey, type GatedKnob, profileFlag } from './gate.ts';
import { isObject, type JsonObject, jsonMistake } from './json.ts';
import { targetingProblems } from './targeting.ts';

/** One line for each finding: `file:line:column: what; what to do`. */
export interface FlagFindings {
  /** The file can't be used. */
  readonly broken: readonly string[];
  /** One of taut's flags has a wrong value, which counts as off. */
  readonly mistakes: readonly string[];
  /** Allowed, but most likely not meant. */
  readonly warnings: readonly string[];
}

type Path = readonly PropertyKey[];
type Severity = keyof FlagFindings;
type Say = (severity: Severity, path: Path, message: string, at?: Found['at']) => void;

interface Found {
  readonly path: Path;
  readonly message: string;
  readonly at: 'key' | 'value';
}

const KNOWN = {
  file: ['flags', '$schema', '$evaluators', 'metadata'],
  flag: ['state', 'variants', 'defaultVariant', 'targeting', 'metadata'],
};
const STATES = ['ENABLED', 'DISABLED'];

/** @param prefix what the keys of taut's flags begin with. */
export function flagFindings(
  text: string,
  file: string,
  knobs: readonly GatedKnob[],
  prefix: string = FLAG_PREFIX,
): FlagFindings {
  const found: Record<Severity, Found[]> = { broken: [], mistakes: [], warnings: [] };
  const say: Say = (severity, path, message, at = 'value') => found[severity].push({ path, message, at });
  const json = jsonMistake(text);
  if (json) return { broken: withPositions([json], positions(text).lines, file), mistakes: [], warnings: [] };
  const data: unknown = JSON.parse(text);
  checkFile(data, say, knobs, prefix);
  const refusal = found.broken.length === 0 ? refusalOf(text) : undefined;
  if (refusal) say('broken', [], refusal);
  const hasTwice = keysIn(text) > keysOf(data);
  // Parsed for the places alone, which takes longer than all else.
  if (!hasTwice && Object.values(found).flat().length === 0) return { broken: [], mistakes: [], warnings: [] };
  const { document, lines } = positions(text);
  const placed = ({ path, message, at }: Found): Mistake => {
    return { offset: (at === 'key' ? positionOfKey : positionOfValue)(path, document), message };
  };
  const twice = document.errors.filter(({ code }) => code === 'DUPLICATE_KEY');
  const more = twice.map(({ pos }) => ({ offset: pos[0], message: 'this key stands twice; the last counts' }));
  return {
    broken: withPositions(found.broken.map(placed), lines, file),
    mistakes: withPositions(found.mistakes.map(placed), lines, file),
    warnings: withPositions([...more, ...found.warnings.map(placed)], lines, file),
  };
}

function positions(text: string): { readonly document: Document; readonly lines: LineCounter } {
  const lines = new LineCounter();
  return { document: parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines };
}

/** How many keys stand in JSON, those twice that stand twice. */
function keysIn(json: string): number {
  let keys = 0;
  for (const [, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) keys++;
  return keys;
}

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value);
  return (Array.isArray(value) ? 0 : inner.length) + inner.reduce((sum: number, one) => sum + keysOf(one), 0);
}

/** Why flagd's engine, which evaluates the file later, refuses it. */
function refusalOf(text: string): string | undefined {
  try {
    new FlagdCore(undefined, SILENT).setConfigurations(text);
    return undefined;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}: ${cause.message}` : message;
  }
}

export const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function checkFile(data: unknown, say: Say, knobs: readonly GatedKnob[], prefix: string): void {
  if (!isObject(data)) return say('broken', [], 'a flag file is an object, {"flags": {…}}');
  unknownKeys(data, [], KNOWN.file, say);
  const { flags } = data;
  if (flags === undefined) return say('broken', [], 'there is no "flags"; a flag file is {"flags": {…}}');
  if (!isObject(flags)) return say('broken', ['flags'], 'flags: an object is wanted, {"taut.…": {…}}');
  for (const [key, flag] of Object.entries(flags)) checkFlag(key, flag, say);
  const shared = isObject(data['$evaluators']) ? Object.keys(data['$evaluators']) : [];
  const profileKey = profileFlag(prefix);
  const ours = knobs.map((knob) => flagKey(knob, prefix));
  checkKeys(flags, say, [...ours, ...(knobs.length > 0 ? [profileKey] : [])], prefix);
  for (const knob of knobs) {
    const key = flagKey(knob, prefix);
    const flag = flags[key];
    if (isObject(flag) && isObject(flag['variants'])) checkOurs(key, knob.parse, flag, flag['variants'], shared, say);
  }
  const profile = flags[profileKey];
  if (isObject(profile) && isObject(profile['variants']))
    checkOurs(profileKey, PROFILE.parse, profile, profile['variants'], shared, say);
}

/** Warns about keys that are nearly one of taut's, and about a file without any of taut's keys. */
function checkKeys(flags: JsonObject, say: Say, ours: readonly string[], prefix: string): void {
  if (ours.length === 0) return; // nobody said which flags are taut's
  const others = Object.keys(flags).filter((key) => !ours.includes(key));
  const meant = others.flatMap((key) => {
    const near = nearest(key, ours);
    if (near) say('warnings', ['flags', key], `unknown flag "${key}"; did you mean "${near}"?`, 'key');
    else if (key.startsWith(prefix))
      say('warnings', ['flags', key], `unknown flag "${key}"; known: ${ours.join(', ')}`, 'key');
    return near ?? [];
  });
  if (meant.length > 0 || ours.some((key) => key in flags)) return;
  say('warnings', ['flags'], `there is no flag ${ours.map((key) => `"${key}"`).join(' or ')}, so nothing is tuned`);
}

/** Checks what the engine demands of every flag, also of flags that taut never evaluates. */
function checkFlag(key: string, flag: unknown, say: Say): void {
  const at = (...path: Path) => ['flags', key, ...path];
  if (!isObject(flag)) return say('broken', at(), `${key}: an object is wanted, {"state": …, "variants": …}`);
  unknownKeys(flag, at(), KNOWN.flag, say);
  const { state, variants, defaultVariant } = flag;
  if (typeof state !== 'string' || !STATES.includes(state)) {
    const near = typeof state === 'string' ? nearest(state, STATES) : undefined;
    const mend = near ? `did you mean "${near}"?` : 'write "ENABLED" or "DISABLED"';
    say(
      'broken',
      at('state'),
      `state: ${state === undefined ? 'is missing' : `${JSON.stringify(state)} is none`}; ${mend}`,
    );
  }
  if (!isObject(variants))
    return say('broken', at('variants'), 'variants: an object is wanted, like {"on": true, "off": false}');
  const names = Object.keys(variants);
  if (!defaultVariant || (typeof defaultVariant === 'string' && names.includes(defaultVariant))) return;
  const near = typeof defaultVariant === 'string' ? nearest(defaultVariant, names) : undefined;
  const mend = near ? `did you mean ${JSON.stringify(near)}?` : `there are: ${names.join(', ') || 'none'}`;
  say('broken', at('defaultVariant'), `defaultVariant: ${JSON.stringify(defaultVariant)} is no variant; ${mend}`);
}

type Parse = (text: string) => unknown;

function checkOurs(
  key: string,
  parse: Parse,
  flag: JsonObject,
  variants: JsonObject,
  shared: readonly string[],
  say: Say,
): void {
  const at = (...path: Path) => ['flags', key, ...path];
  for (const [name, value] of Object.entries(variants)) {
    const object = isObject(value) ? checkObject(at('variants', name), name, value, say) : undefined;
    if (isObject(value) && object === undefined) continue;
    const problem = valueProblem(parse, object ? object.value : value);
    if (problem) say('mistakes', at('variants', name), `variants: ${name}: ${problem}`);
    else if (value === 0) say('warnings', at('variants', name), `variants: ${name}: 0 counts as off; write false`);
  }
  const { defaultVariant, targeting } = flag;
  if (!defaultVariant) {
    const when = targeting === undefined ? 'always' : 'wherever targeting names no variant';
    say('warnings', at(), `there is no defaultVariant, so the flag is off ${when}`, 'key');
  }
  for (const { path, message, isMistake } of targetingProblems(targeting, Object.keys(variants), shared))
    say(isMistake ? 'mistakes' : 'warnings', at('targeting', ...path), `targeting: ${message}`);
}

/** An object that can't be followed keeps the whole file from being used: what was known before stays. */
function checkObject(at: Path, name: string, value: unknown, say: Say): FlagObject | undefined {
  try {
    const object = flagObject(value);
    if (isOver(object.until))
      say('warnings', [...at, 'until'], `variants: ${name}: until: this is over, so it counts as off`);
    return object;
  } catch (error) {
    say('broken', at, `variants: ${name}: ${(error as Error).message}`);
    return undefined;
  }
}

const SWITCHES = new Map([
  ['true', 'true'],
  ['on', 'true'],
  ['yes', 'true'],
  ['false', 'false'],
  ['no', 'false'],
]);

/** A value must be what the gate can read: a boolean, `off`, or a value of the knob. */
function valueProblem(parse: Parse, value: unknown): string | undefined {
  if (typeof value === 'boolean' || value === 'off' || value === 0) return undefined;
  if (typeof value !== 'string' && typeof value !== 'number')
    return 'true, false, a number, or a text like "10us" or "off" is wanted';
  try {
    parse(String(value));
    return undefined;
  } catch (error) {
    const meant = SWITCHES.get(String(value).toLowerCase());
    return meant ? `"${value}" is a text; write ${meant} without quotes` : (error as Error).message;
  }
}

function unknownKeys(object: JsonObject, path: Path, known: readonly string[], say: Say): void {
  for (const key of Object.keys(object).filter((one) => !known.includes(one))) {
    const near = nearest(key, known);
    if (near) say('warnings', [...path, key], `unknown key "${key}"; did you mean "${near}"?`, 'key');
  }
}
