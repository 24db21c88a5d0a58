/** Draws docs/lateness.svg from the first act of `taut demo --json`: how late an agent's timers fire. */

/** From the demo's JSON: bucket i counts seconds above b^(offset + i), up to b^(offset + i + 1), b = 2^(2^-scale). */
interface Histogram {
  readonly scale: number;
  readonly offset: number;
  readonly buckets: readonly number[];
  readonly zeroCount: number;
}

export interface Measured {
  readonly count: number;
  /** Seconds. */
  readonly p50: number | null;
  readonly histogram: Histogram;
}

interface Bar {
  /** Microseconds. */
  readonly from: number;
  readonly to: number;
  /** Share of all timers of the phase, from 0 to 1. */
  readonly share: number;
}

const WIDTH = 760;
const HEIGHT = 330;
const PLOT = { left: 28, right: WIDTH - 28, top: 104, bottom: HEIGHT - 68 } as const;
const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/** Largest share of a phase's timers beyond the two ends of the axis, at most half of it at each. Named below it. */
const TAIL = 0.01;

/** @param where the machine and the day, written below the picture. */
export function drawLateness(found: Measured, tuned: Measured, where: string): string {
  const bars = [barsOf(found), barsOf(tuned)] as const;
  const [from, to] = rangeOf(bars);
  const most = Math.max(...bars.flat().map(({ share }) => share));
  const x = (us: number) =>
    PLOT.left + ((PLOT.right - PLOT.left) * Math.log(Math.min(to, Math.max(from, us)) / from)) / Math.log(to / from);
  const y = (share: number) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * share) / most;
  const ticks = TICKS.filter((tick) => tick >= from && tick <= to);
  const outside = bars.map((all) =>
    percent(all.reduce((sum, bar) => sum + (isShown(bar, from, to) ? 0 : bar.share), 0)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title description">
<title id="title">How late an agent's timers fire, before and after taut tuned it</title>
<desc id="description">Half of the timers fired within ${us(found)} before, and within ${us(tuned)} when tuned.</desc>
<style>
  .back { fill: #ffffff } .edge { stroke: #d1d9e0; fill: none }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
  .title { font-size: 17px; font-weight: 600 } .small { font-size: 12px; fill: #59636e }
  .line { stroke: #d1d9e0 } .axis { stroke: #818b98 }
  .found { fill: #bc4c00 } .tuned { fill: #0969da }
  .area { fill-opacity: .3 } .outline { fill: none; stroke-width: 1.5 } .median { stroke-width: 1.5; stroke-dasharray: 4 3 }
  .outline.found, .median.found { stroke: #bc4c00; fill: none } .outline.tuned, .median.tuned { stroke: #0969da; fill: none }
  .label { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } .edge { stroke: #3d444d }
    text { fill: #f0f6fc } .small { fill: #9198a1 }
    .line { stroke: #3d444d } .axis { stroke: #656c76 }
    .found { fill: #f0883e } .tuned { fill: #4493f8 }
    .outline.found, .median.found { stroke: #f0883e; fill: none } .outline.tuned, .median.tuned { stroke: #4493f8; fill: none }
  }
</style>
<rect class="back" width="${WIDTH}" height="${HEIGHT}" rx="8"/>
<rect class="edge" x=".5" y=".5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>
<text class="title" x="${PLOT.left}" y="34">How late an agent's timers fire</text>
<text class="small" x="${PLOT.left}" y="54">One sample agent, before and after taut set its timer slack to 1 ns. Higher means more timers.</text>
${ticks.map((tick) => `<line class="line" x1="${n(x(tick))}" x2="${n(x(tick))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`).join('\n')}
${distribution(
  'found',
  bars[0].filter((bar) => isShown(bar, from, to)),
  x,
  y,
)}
${distribution(
  'tuned',
  bars[1].filter((bar) => isShown(bar, from, to)),
  x,
  y,
)}
<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${PLOT.bottom}" y2="${PLOT.bottom}"/>
${median('tuned', `tuned: half within ${us(tuned)}`, x(microseconds(tuned)), PLOT.top - 11)}
${median('found', `before: half within ${us(found)}`, x(microseconds(found)), PLOT.top - 28)}
${ticks.map((tick) => `<text x="${n(x(tick))}" y="${PLOT.bottom + 20}" text-anchor="middle">${label(tick)}</text>`).join('\n')}
<text class="small" x="${PLOT.left}" y="${HEIGHT - 18}">${found.count + tuned.count} timers; beyond the ends: ${outside[0]} before, ${outside[1]} tuned. ${where}</text>
</svg>
`;
}

function barsOf({ count, histogram }: Measured): Bar[] {
  const { scale, offset, buckets } = histogram;
  const edge = (i: number) => 1e6 * 2 ** ((offset + i) * 2 ** -scale);
  return buckets.map((inside, i) => ({ from: edge(i), to: edge(i + 1), share: inside / count }));
}

/** The ends of the axis: ticks that enclose everything except the tails. */
function rangeOf(phases: readonly (readonly Bar[])[]): readonly [number, number] {
  const low = Math.min(...phases.map((bars) => endOf(bars)?.from ?? 1));
  const high = Math.max(...phases.map((bars) => endOf(bars.toReversed())?.to ?? 1));
  return [TICKS.findLast((tick) => tick <= low) ?? 1, TICKS.find((tick) => tick >= high) ?? 10_000];
}

/** The first bar that is not completely in the tail. */
function endOf(bars: readonly Bar[]): Bar | undefined {
  let passed = 0;
  return bars.find(({ share }) => {
    passed += share;
    return passed > TAIL / 2;
  });
}

function isShown(bar: Bar, from: number, to: number): boolean {
  return bar.to > from && bar.from < to;
}

/** Draws steps as wide as the kernel's buckets, without smoothing. */
function distribution(name: string, bars: readonly Bar[], x: (us: number) => number, y: (share: number) => number) {
  const [first] = bars;
  const last = bars.at(-1);
  if (!first || !last) throw new Error(`nothing was measured in phase ${name}`);
  const steps = bars.map(({ from, to, share }) => `L${n(x(from))} ${n(y(share))}L${n(x(to))} ${n(y(share))}`).join('');
  const path = `M${n(x(first.from))} ${PLOT.bottom}${steps}L${n(x(last.to))} ${PLOT.bottom}`;
  return `<path class="area ${name}" d="${path}Z"/>\n<path class="outline ${name}" d="${path}"/>`;
}

/** The label is right of its line, except near the end of the picture. */
function median(name: string, text: string, at: number, y: number): string {
  const isRight = at < WIDTH - 205;
  return `<line class="median ${name}" x1="${n(at)}" x2="${n(at)}" y1="${y - 11}" y2="${PLOT.bottom}"/>
<text class="label ${name}" x="${n(at + (isRight ? 6 : -6))}" y="${y}" text-anchor="${isRight ? 'start' : 'end'}">${text}</text>`;
}

function microseconds({ p50 }: Measured): number {
  if (p50 === null) throw new Error('too few timers fired to draw');
  return p50 * 1e6;
}

function us(measured: Measured): string {
  return `${Math.round(microseconds(measured))} µs`;
}

function label(tick: number): string {
  return tick < 1000 ? `${tick} µs` : `${tick / 1000} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** Two decimals are enough for a screen. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
