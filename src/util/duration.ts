/** Parses and formats times in nanoseconds. Pure. */

const UNITS = new Map([
  ['ns', 1],
  ['us', 1_000],
  ['µs', 1_000],
  ['ms', 1_000_000],
]);

/**
 * Parses `1`, `250ns`, `10us`, `1.5us`, `1ms` into nanoseconds. @param what name of the value in the error.
 * @throws RangeError with the reason when `text` is no time, no whole number of nanoseconds, or too long.
 */
export function parseNs(text: string, what: string): bigint {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)$/i.exec(text.trim());
  const unit = UNITS.get(match?.[2]?.toLowerCase() || 'ns');
  if (!match || unit === undefined)
    throw new RangeError(`"${text}" is no ${what}: a number with ns, us or ms is wanted, like 1 or 10us`);
  const ns = Math.round(Number(match[1]) * unit * 1e6) / 1e6;
  if (!Number.isInteger(ns)) throw new RangeError(`"${text}" is no whole number of nanoseconds`);
  if (ns > Number.MAX_SAFE_INTEGER) throw new RangeError(`"${text}" is no ${what}: it is longer than 100 days`);
  return BigInt(ns);
}

/** Nanoseconds in the largest unit that shows them exactly: `1 ns`, `50 us`, `10 ms`. */
export function formatNs(ns: bigint): string {
  for (const [unit, size] of [
    ['ms', 1_000_000n],
    ['us', 1_000n],
  ] as const)
    if (ns >= size && ns % size === 0n) return `${ns / size} ${unit}`;
  return `${ns} ns`;
}
