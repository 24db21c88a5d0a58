/** An entry of the ledger: one knob of one thread, with its original value and its target. Pure. */
import type { SQLOutputValue } from 'node:sqlite';
import type { Owner } from './owner.ts';

/** A thread of one boot. `startTicks`: field 22 of its `stat`. */
export interface ThreadIdentity {
  readonly tid: number;
  readonly startTicks: number;
}

export interface LedgerEntry extends ThreadIdentity {
  readonly pid: number;
  readonly processStartTicks: number;
  readonly knob: string;
  readonly original: bigint;
  readonly target: bigint;
  /**
   * Of the process's threads and descendants without an entry, only those that were born then or later can have inherited the
   * target; clock ticks since boot, 0 when that is not known.
   */
  readonly heirsFrom: number;
  readonly agent: string;
  readonly rule: string;
  readonly reason: string;
  readonly atMs: number;
  /** The operation that last wrote it. */
  readonly operation: string;
  /** The taut that last wrote it. */
  readonly owner: Owner;
}

/** An entry to be recorded: its owner is always this process. */
export type NewEntry = Omit<LedgerEntry, 'owner' | 'heirsFrom'> & { readonly heirsFrom?: number };

/** Selects entries: every given condition must hold. */
export interface LedgerFilter {
  readonly pids?: readonly number[];
  readonly agent?: string;
  readonly rule?: string;
  /** The operation that last wrote it. */
  readonly operation?: string;
  /** Written at this time or before, milliseconds since the epoch. */
  readonly before?: number;
  /** Last written by this taut. */
  readonly owner?: Owner;
}

/**
 * A thread that has called execve without being its process's leader. The kernel has ended all other threads, and has
 * given it the leader's id and start time, which are those of the process.
 */
export interface Execed {
  readonly pid: number;
  readonly processStartTicks: number;
  /** Its id until then. */
  readonly tid: number;
}

/** One knob of one thread: the key of an entry. */
export type ThreadKnob = ThreadIdentity & { readonly knob: string };

export function key({ tid, startTicks, knob }: ThreadKnob): string {
  return `${tid} ${startTicks} ${knob}`;
}

/** Whether the filter selects an entry: does for entries in memory what the SELECT of `Ledger.entries` does. */
export function matches(entry: LedgerEntry, { pids, agent, rule, operation, before, owner }: LedgerFilter): boolean {
  return (
    (pids === undefined || pids.includes(entry.pid)) &&
    (agent === undefined || entry.agent === agent) &&
    (rule === undefined || entry.rule === rule) &&
    (operation === undefined || entry.operation === operation) &&
    (before === undefined || entry.atMs <= before) &&
    (owner === undefined || entry.owner === owner)
  );
}

/** Converts a row of the table. */
export function toEntry(row: Record<string, SQLOutputValue>): LedgerEntry {
  const number = (column: string) => Number(row[column]);
  const text = (column: string) => String(row[column]);
  return {
    tid: number('tid'),
    startTicks: number('start_ticks'),
    knob: text('knob'),
    pid: number('pid'),
    processStartTicks: number('process_start_ticks'),
    original: BigInt(text('original')),
    target: BigInt(text('target')),
    heirsFrom: number('heirs_from'),
    agent: text('agent'),
    rule: text('rule'),
    reason: text('reason'),
    atMs: number('at_ms'),
    operation: text('operation'),
    owner: text('owner'),
  };
}
