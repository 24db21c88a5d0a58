/** What a guest reports, by name. */

export interface Observations {
  /** Its version. */
  readonly kernel: string;
  readonly doctor: {
    readonly exitCode: number;
    readonly measure: boolean;
    readonly tune: boolean;
    readonly mode: string;
    readonly missing: string[];
    /** What is said of each that is missing. */
    readonly why: string[];
  };
  readonly tuning: Tuning;
  /** What was seen of questions to a resolver and of connections; why not, where it can't be. */
  readonly names: Unavailable | { readonly asked: string[]; readonly connected: number };
  readonly waits: Unavailable | readonly Counted[];
  /** What became of waits until a time by the wall clock, which was set meanwhile: past that time; back and forth; no more. */
  readonly clockSet: Unavailable | ClockSet;
  readonly births: Unavailable | { readonly born: number; readonly reported: number };
  readonly deaths: Unavailable | { readonly threads: number; readonly told: number; readonly lost: number };
}

export interface ClockSet {
  readonly threads: number;
  readonly waits: number;
  /** Of these, those whose timers were recorded. */
  readonly recorded: number;
  /** Wakeups with the reason `clock_set`. */
  readonly discarded: number;
  /** Of what was recorded. */
  readonly latestMs: number;
}

export interface Unavailable {
  readonly unavailable: string;
}

/** The timer slacks of an agent and what it made, through one run of `taut watch`. */
export interface Tuning {
  readonly before: number[];
  readonly tuned: number[];
  /** Of the threads that it has only started while it was tuned. */
  readonly bornLater: number[];
  /** Of a process that it has started and no rule names. */
  readonly child: number;
  readonly after: number[];
  readonly status: { readonly total: number; readonly tuned: number; readonly ledger: number };
  readonly ledgerAfter: number;
  /** The scheduler slices of its threads; 0 where the kernel tells none. */
  readonly slices: { readonly before: number[]; readonly tuned: number[]; readonly after: number[] };
  /** What was said of settings that can not be changed here. */
  readonly lacking: string[];
  readonly exitCode: number;
  /** In which modes the daemon said that it measures. */
  readonly modes: string[];
  /** Wakeups of the agent, as exported. */
  readonly wakeups: number;
  /** For a CPU, as exported: where that is all that can be measured. */
  readonly waitedSeconds: number;
}

/** The timers of one kind of wait, by slack class, and the tracer's ledger. */
export interface Counted {
  readonly kind: string;
  readonly us: number;
  readonly timers: Readonly<Record<string, number>>;
  /** Its wakeups by the slice that was in force. */
  readonly slices: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  /** Waits that may be in no timer's histogram, each counted: as one whose time has passed before its thread sleeps. */
  readonly untimed: number;
  /** Runs of the programs that the kernel left out. */
  readonly missed: number;
}
