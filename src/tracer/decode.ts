/** Decodes the kernel's words into series. The layout comes from the C header through the addon. */
import type { Layout } from '../native.ts';
import type { ExpHistogram, Quantity, Series } from './series.ts';

/** Decodes one agent's series; series without a value are left out. */
export function decodeSeries(words: Uint32Array, layout: Layout): Series[] {
  return layout.series.flatMap(({ quantity, source, slackClass, tuned, slice }, index) => {
    const start = index * layout.histogramWords;
    if (isZero(words, start + layout.minAt)) return []; // empty: the kernel stores the minimum plus 1 ns
    const histogram = decodeHistogram(words, start, layout);
    // A unit test holds the header's quantities against those that have a metric.
    return histogram.count > 0 ? [{ quantity: quantity as Quantity, source, slackClass, tuned, slice, histogram }] : [];
  });
}

/** Whether a 64-bit word is 0. */
function isZero(words: Uint32Array, at: number): boolean {
  return words[2 * at] === 0 && words[2 * at + 1] === 0;
}

/**
 * `count` is computed from the buckets, so both agree even if the kernel counts during the snapshot. `words` are halves
 * of the kernel's 64-bit words, low half first.
 */
function decodeHistogram(words: Uint32Array, start: number, layout: Layout): ExpHistogram {
  const word = (at: number) => (words[2 * (start + at)] ?? 0) + (words[2 * (start + at) + 1] ?? 0) * 2 ** 32;
  const exactWord = (at: number) =>
    (BigInt(words[2 * (start + at) + 1] ?? 0) << 32n) | BigInt(words[2 * (start + at)] ?? 0);
  const zeroCount = word(layout.zeroAt);
  const min = exactWord(layout.minAt);
  let first = 0;
  let end = min > 0n ? layout.buckets : 0;
  while (first < end && isZero(words, start + layout.bucketsAt + first)) first++;
  while (end > first && isZero(words, start + layout.bucketsAt + end - 1)) end--;
  const buckets = Array.from({ length: end - first }, (_, i) => word(layout.bucketsAt + first + i));
  const count = buckets.reduce((sum, n) => sum + n, zeroCount);
  return {
    scale: layout.scale,
    offset: buckets.length > 0 ? layout.bucketMin + first : 0,
    buckets,
    zeroCount,
    count,
    sumNs: exactWord(layout.sumAt),
    minNs: count > 0 && min > 0n ? min - 1n : undefined,
    maxNs: count > 0 ? exactWord(layout.maxAt) : undefined,
  };
}
