/** Values of settings that people write: times, shares, sizes, switches. Pure. Each throws RangeError with what is wanted. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** The longest time that a timer of Node takes, about 24 days. */
const MAX_MS = 2 ** 31 - 1;

/** Milliseconds of a whole number with ms, s, m, h or d; NaN of any other text. */
export function msOf(text: string): number {
  const [, digits, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(digits) * UNITS[unit as keyof typeof UNITS];
}

/** Milliseconds, like `10m`. */
export function parseMs(text: string): number {
  const ms = text.endsWith('ms') ? 0 : msOf(text) || 0;
  if (ms < 1 || ms > MAX_MS) throw new RangeError('a time is a whole number with s, m, h or d, like 10m, up to 24d');
  return ms;
}

/** In the largest unit that shows it exactly. */
export function formatMs(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, one]) => ms % one === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** A share of one core, like `2%`; more than 1 are several cores. */
export function parseShare(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text === '' || !(value > 0 && value <= 100_000))
    throw new RangeError('a percentage of one core is wanted: more than 0');
  return value / 100;
}

export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`;
}

const BYTES = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 } as const;

/** Bytes, like `64M`. */
export function parseBytes(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * BYTES[unit.toUpperCase() as keyof typeof BYTES];
  if (digits === undefined || !Number.isSafeInteger(bytes))
    throw new RangeError('a number of bytes is wanted, with K, M or G if you like: 64M');
  return bytes;
}

/** In the largest unit that shows them exactly. */
export function formatBytes(bytes: number): string {
  const [unit, size] = Object.entries(BYTES).findLast(([, one]) => bytes > 0 && bytes % one === 0) ?? ['', 1];
  return `${bytes / size}${unit}`;
}

export function parseSwitch(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new RangeError('true or false is wanted');
  return text === 'true';
}
