/** Draws docs/responsive.svg from the second act of `taut demo --json`: how late an agent is woken beside its own build. */
import { roughly } from '../src/util/roughly.ts';

/** One arm of the demo's JSON. Times are seconds. */
export interface Arm {
  readonly name: string;
  readonly metrics: {
    readonly 'taut.wakeup.latency': {
      readonly count: number;
      readonly p50: number | null;
      readonly p99: number | null;
      /** Share of the wakeups that came late, from 0 to 1. */
      readonly late: number | null;
    };
  };
  readonly build: {
    readonly filesPerSecond: number;
    /** Of what the first arm did; null when that did nothing. */
    readonly ofFound: number | null;
  };
}

export interface Build {
  readonly jobs: number;
  readonly arms: readonly Arm[];
}

const WIDTH = 760;
const PLOT = { left: 210, right: WIDTH - 190, top: 102 } as const;
const ROW = 34;
const FOOT = 74;
/** Seconds: the ends of the axis, and its ticks. */
const [FROM, TO] = [1e-5, 1];
const TICKS = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];
const COLUMNS = { late: WIDTH - 112, build: WIDTH - 28 } as const;

/** @param where the machine and the day, written below the picture. */
export function drawBuild({ jobs, arms }: Build, where: string): string {
  const bottom = PLOT.top + ROW * arms.length;
  const height = bottom + FOOT;
  const [found] = arms;
  if (!found) throw new Error('nothing was measured beside a build');
  const wakeups = arms.reduce((sum, arm) => sum + latencyOf(arm).count, 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">How late an agent is woken beside its own build</title>
<desc id="description">${arms.map((arm) => escaped(`${arm.name}: ${said(arm)}`)).join('; ')}.</desc>
<style>
  .back { fill: #ffffff } .edge { stroke: #d1d9e0; fill: none }
  text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif }
  .title { font-size: 17px; font-weight: 600 } .small { font-size: 12px; fill: #59636e }
  .line { stroke: #d1d9e0 } .axis { stroke: #818b98 } .label { font-weight: 600 }
  .found { stroke: #bc4c00; fill: #bc4c00 } .tuned { stroke: #0969da; fill: #0969da }
  .span { stroke-width: 6; stroke-opacity: .35; stroke-linecap: round } .dot, .end { stroke: none }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } .edge { stroke: #3d444d }
    text { fill: #f0f6fc } .small { fill: #9198a1 }
    .line { stroke: #3d444d } .axis { stroke: #656c76 }
    .found { stroke: #f0883e; fill: #f0883e } .tuned { stroke: #4493f8; fill: #4493f8 }
  }
</style>
<rect class="back" width="${WIDTH}" height="${height}" rx="8"/>
<rect class="edge" x=".5" y=".5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="28" y="34">How late an agent is woken beside its own build</text>
<text class="small" x="28" y="54">One sample agent, a build of ${jobs} jobs. The dot: half of its wakeups came within that; the bar's end: 99 of 100.</text>
<text class="small" x="${COLUMNS.late}" y="${PLOT.top - 12}" text-anchor="end">&gt; 0.5 ms</text>
<text class="small" x="${COLUMNS.build}" y="${PLOT.top - 12}" text-anchor="end">the build</text>
${TICKS.map((tick) => `<line class="line" x1="${n(x(tick))}" x2="${n(x(tick))}" y1="${PLOT.top}" y2="${bottom}"/>`).join('\n')}
${arms.map((arm, i) => drawArm(arm, isTuned(i, arms), PLOT.top + ROW * (i + 0.5))).join('\n')}
<line class="axis" x1="${PLOT.left}" x2="${PLOT.right}" y1="${bottom}" y2="${bottom}"/>
${TICKS.map((tick) => `<text x="${n(x(tick))}" y="${bottom + 20}" text-anchor="middle">${roughly(tick).replace('us', 'µs')}</text>`).join('\n')}
<text class="small" x="28" y="${height - 18}">${wakeups} wakeups; the build: its work in a second, of that as found. ${escaped(where)}</text>
</svg>
`;
}

/** The first arm is as found, and the last one put back. */
function isTuned(i: number, arms: readonly Arm[]): boolean {
  return i > 0 && i < arms.length - 1;
}

function drawArm(arm: Arm, tuned: boolean, y: number): string {
  const { p50, p99, late } = latencyOf(arm);
  if (p50 === null || p99 === null) throw new Error(`too few wakeups were counted to draw: ${arm.name}`);
  const colour = tuned ? 'tuned' : 'found';
  return `<text class="label" x="28" y="${y + 4}">${escaped(arm.name)}</text>
<line class="span ${colour}" x1="${n(x(p50))}" x2="${n(x(p99))}" y1="${y}" y2="${y}"/>
<circle class="dot ${colour}" cx="${n(x(p50))}" cy="${y}" r="6"/>
<text x="${COLUMNS.late}" y="${y + 4}" text-anchor="end">${percent(late, 1)}</text>
<text x="${COLUMNS.build}" y="${y + 4}" text-anchor="end">${percent(arm.build.ofFound, 0)}</text>`;
}

function latencyOf({ metrics }: Arm): Arm['metrics']['taut.wakeup.latency'] {
  return metrics['taut.wakeup.latency'];
}

function said(arm: Arm): string {
  const { p50, p99, late } = latencyOf(arm);
  const time = (seconds: number | null) => (seconds === null ? 'unknown' : roughly(seconds));
  return `half within ${time(p50)}, 99% within ${time(p99)}, ${percent(late, 1)} more than 0.5 ms late`;
}

/** Logarithmic. What lies beyond an end is drawn there. */
function x(seconds: number): number {
  const at = Math.log(Math.min(TO, Math.max(FROM, seconds)) / FROM) / Math.log(TO / FROM);
  return PLOT.left + (PLOT.right - PLOT.left) * at;
}

function percent(share: number | null, digits: number): string {
  return share === null ? '-' : `${(100 * share).toFixed(digits)}%`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Two decimals are enough for a screen. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}
