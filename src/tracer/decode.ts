/** Decodes the kernel's words into series. The layout comes from the C header through the addon. */
import type { Layout } from '../native.ts';
import type { ExpHistogram, Quantity, Series, SlackClass, WakeupSource } from './series.ts';

interface Split {
  readonly source: WakeupSource | undefined;
  readonly slackClass: SlackClass | undefined;
  readonly tuned: boolean | undefined;
}

/** Decodes one agent's series; series without a value are left out. */
export function decodeSeries(words: Uint32Array, layout: Layout): Series[] {
  const timer: (Split & { at: number })[] = [
    { at: layout.reachable, source: undefined, slackClass: 'reachable', tuned: false },
    { at: layout.reachableTuned, source: undefined, slackClass: 'reachable', tuned: true },
    { at: layout.beyond, source: undefined, slackClass: 'beyond', tuned: false },
    { at: layout.none, source: undefined, slackClass: 'none', tuned: false },
  ];
  const series: Series[] = [];
  const add = (quantity: Quantity, index: number, { source, slackClass, tuned }: Split) => {
    const start = index * layout.histogramWords;
    if (isZero(words, start + layout.minAt)) return; // empty: the kernel stores the minimum plus 1 ns
    const histogram = decodeHistogram(words, start, layout);
    if (histogram.count > 0) series.push({ quantity, source, slackClass, tuned, histogram });
  };
  for (const split of timer) {
    add('timer.lateness', layout.lateness + split.at, split);
    add('timer.slack_use', layout.slackUse + split.at, split);
    add('timer.overrun', layout.overrun + split.at, split);
    add('wakeup.latency', layout.latency + split.at, { ...split, source: 'timer' });
  }
  for (const [at, source] of (['timer', 'other'] as const).entries())
    add('wakeup.hand_over', layout.handOver + at, { source, slackClass: undefined, tuned: undefined });
  for (const tuned of [false, true]) {
    const at = tuned ? 1 : 0;
    const other: Split = { source: 'other', slackClass: undefined, tuned };
    add('wakeup.latency', layout.latency + layout.timerSplits + at, other);
    add('wakeup.run_queue_delay', layout.runQueue + at, { ...other, source: 'timer' });
    add('wakeup.run_queue_delay', layout.runQueue + 2 + at, other);
  }
  return series;
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
