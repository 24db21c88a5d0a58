import type { StatusDocument } from '../agents/documents.ts';

/** A taut that runs in this process, until it is disposed of: then everything is put back. */
export interface Taut extends AsyncDisposable {
  /** What `taut status --json` says of it, now: agents, what is tuned and why, how it measures, the guard. */
  status(): StatusDocument;
  /**
   * What this host could not do, as words: `measure` (in full; `status().tracer.modeReason` says why), `tune`, `lock`, `socket`.
   * Each was said once to `log`. It may grow, when a decision can't be carried out.
   */
  readonly missing: readonly string[];
  /** Resolves with the reason when taut has ended, also by itself because its record was removed. Everything is put back by then. */
  readonly ended: Promise<string>;
  /** Puts everything back, one agent after another, and ends. The same as disposing, which `await using` does; again, it does nothing. */
  end(): Promise<void>;
}
