/** Timer slack values as people write them. */

const UNITS = new Map([
  ['ns', 1],
  ['us', 1_000],
  ['µs', 1_000],
  ['ms', 1_000_000],
]);

/** The largest target that makes sense: the kernel's own cap for the slack of a long select or poll, 100 ms. */
const MAX_NS = 100_000_000;

/**
 * Parses `1`, `250ns`, `10us`, `1.5us`, `1ms` into nanoseconds.
 * @throws RangeError with the reason, for what is no time, below 1 ns or above 100 ms.
 */
export function parseSlack(text: string): bigint {
  const match = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)$/i.exec(text.trim());
  const unit = UNITS.get(match?.[2]?.toLowerCase() || 'ns');
  if (!match || unit === undefined)
    throw new RangeError(`"${text}" is no timer slack: a number with ns, us or ms is wanted, like 1 or 10us`);
  const ns = Math.round(Number(match[1]) * unit * 1e6) / 1e6;
  if (ns === 0)
    throw new RangeError(
      'a timer slack of 0 does not exist: the kernel takes 0 as "back to the default"; the least is 1 ns',
    );
  if (!Number.isInteger(ns)) throw new RangeError(`"${text}" is no whole number of nanoseconds`);
  if (ns > MAX_NS) throw new RangeError(`${text} is longer than 100 ms: taut makes timers earlier, never later`);
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
