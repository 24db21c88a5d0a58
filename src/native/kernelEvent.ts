/**
 * A life event of the kernel. `renaming`: the process gives itself names, or is moved, all the time; no event follows for
 * `layout.holdNs`, so it must be looked at after that. Times are nanoseconds: `startNs` since boot, `atNs` of CLOCK_MONOTONIC.
 */
export interface KernelEvent {
  readonly kind: 'exec' | 'rename' | 'moved' | 'renaming' | 'newThread' | 'newChild' | 'threadExit' | 'processExit';
  readonly pid: number;
  readonly tid: number;
  /** For newThread: its agent. For newChild, and for exec of `taut-turn`: the agent that it descends from, or 0. */
  readonly ppid: number;
  /**
   * For newThread and newChild: the thread that made it. For exec: the id that the thread had when it called execve. If
   * it was not the leader, it has the leader's id and start time now, and all other threads have ended.
   */
  readonly maker: number;
  /** The effective user's id. */
  readonly user: number;
  /** For rename, moved and renaming: such of the process that had no event of their own, since its event before. */
  readonly held: number;
  readonly startNs: bigint;
  readonly atNs: bigint;
  /** For exec: the arguments, each with a NUL at its end; undefined when they were too long for the event. */
  readonly cmdline: string | undefined;
}
