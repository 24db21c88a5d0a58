const UNITS = [
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
  ['ms', 1e-3],
  ['us', 1e-6],
  ['ns', 1e-9],
] as const;

/** A time in seconds for people, in two digits: `7.1 us`, `23 ms`, `12 min`. */
export function roughly(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= 0.995 * size) ?? ['ns', 1e-9];
  const value = seconds / size;
  return `${value < 9.95 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}
