/** Finds the best mode of measuring on this host: tries each, best first, and keeps why a better one failed. */
import { Calibration, type CostPerEvent } from './calibrate.ts';
import type { Mode, Without } from './features.ts';
import { TracerUnavailable } from './programs.ts';
import { Schedstat } from './schedstat.ts';
import { Tracer, type TracerOptions } from './tracer.ts';

export interface Measuring {
  readonly mode: Mode;
  /** Why the mode is not better, and what to do. Undefined in mode `full`. */
  readonly lack?: TracerUnavailable;
  readonly tracer?: Tracer;
  readonly schedstat?: Schedstat;
  /** What the programs cost on this host; only with `calibrate`. */
  readonly costPerEvent?: CostPerEvent;
}

export interface MeasuringOptions {
  readonly without: Without;
  /** Whether to measure what the programs cost. */
  readonly calibrate: boolean;
  /** Whether scheduler slices may be set, so that they are to be told apart; undefined: no. */
  readonly slices?: boolean;
}

/** Opens the best way of measuring. The caller disposes of the tracer. */
export function openMeasuring({ without, calibrate, slices = false }: MeasuringOptions): Measuring {
  using calibration = calibrate && !without.has('bpf') ? begin() : undefined;
  const common = { without, slices, beforeWakeups: () => calibration?.before() };
  const full = attempt({ timers: true, ...common });
  if (full instanceof Tracer) return { mode: 'full', tracer: full, ...costPerEvent(calibration, full) };
  const lack = full;
  const wakeups = attempt({ timers: false, ...common });
  if (wakeups instanceof Tracer)
    return { mode: 'wakeups', lack, tracer: wakeups, ...costPerEvent(calibration, wakeups) };
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

/** A failed calibration is accepted: then the cost is what the kernel accounts, or not known. */
function begin(): Calibration | undefined {
  try {
    return new Calibration();
  } catch {
    return undefined;
  }
}

function costPerEvent(calibration: Calibration | undefined, tracer: Tracer): { costPerEvent?: CostPerEvent } {
  return calibration ? { costPerEvent: calibration.finish(tracer) } : {};
}
