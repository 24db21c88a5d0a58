/** What of measuring this host allows: the most of it first, each way tried, and why it is no more. */
import { Calibration, type Figures } from './calibrate.ts';
import type { Mode, Without } from './features.ts';
import { TracerUnavailable } from './programs.ts';
import { Schedstat } from './schedstat.ts';
import { Tracer, type TracerOptions } from './tracer.ts';

export interface Measuring {
  readonly mode: Mode;
  /** Why it is no more than that, and what to do. Undefined in mode `full`. */
  readonly lack?: TracerUnavailable;
  readonly tracer?: Tracer;
  readonly schedstat?: Schedstat;
  /** What the programs cost here; asked for with `calibrate`. */
  readonly figures?: Figures;
}

export interface MeasuringOptions {
  readonly without: Without;
  /** Whether to find out what the programs cost. */
  readonly calibrate: boolean;
}

/** The caller disposes of the tracer. */
export function openMeasuring({ without, calibrate }: MeasuringOptions): Measuring {
  using calibration = calibrate && !without.has('bpf') ? begin() : undefined;
  const common = { without, beforeWakeups: () => calibration?.before() };
  const full = attempt({ timers: true, ...common });
  if (full instanceof Tracer) return { mode: 'full', tracer: full, ...figures(calibration, full) };
  const lack = full;
  const wakeups = attempt({ timers: false, ...common });
  if (wakeups instanceof Tracer) return { mode: 'wakeups', lack, tracer: wakeups, ...figures(calibration, wakeups) };
  if (!without.has('schedstat') && Schedstat.isThere()) return { mode: 'schedstat', lack, schedstat: new Schedstat() };
  return { mode: 'none', lack };
}

function attempt(options: TracerOptions): Tracer | TracerUnavailable {
  try {
    return new Tracer(options);
  } catch (error) {
    if (error instanceof TracerUnavailable) return error;
    throw error;
  }
}

/** Without figures the cost is what the kernel accounts, or not known: no reason not to measure. */
function begin(): Calibration | undefined {
  try {
    return new Calibration();
  } catch {
    return undefined;
  }
}

function figures(calibration: Calibration | undefined, tracer: Tracer): { figures?: Figures } {
  return calibration ? { figures: calibration.finish(tracer) } : {};
}
