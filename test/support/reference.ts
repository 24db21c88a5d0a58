/** Bounds of exponential histograms at scale 3, by definition and with integers: slow, but exact. */

/** The largest whole number of nanoseconds in bucket i: n^8 <= 10^72 * 2^(i + 1). */
export function upperBound(i: number): bigint {
  const fits = (n: bigint) =>
    i + 1 >= 0 ? n ** 8n <= 10n ** 72n * 2n ** BigInt(i + 1) : n ** 8n * 2n ** BigInt(-i - 1) <= 10n ** 72n;
  let low = 0n;
  let high = 1n << 42n;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (fits(middle)) low = middle;
    else high = middle - 1n;
  }
  return low;
}
