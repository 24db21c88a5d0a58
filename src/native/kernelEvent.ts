/** A life event of the kernel. Times are nanoseconds: `startNs` since boot, `atNs` of CLOCK_MONOTONIC. */
export interface KernelEvent {
  readonly kind: 'exec' | 'rename' | 'newThread' | 'newChild' | 'threadExit' | 'processExit';
  readonly pid: number;
  readonly tid: number;
  /** The agent that a newThread is of, that a newChild descends from. */
  readonly ppid: number;
  /** The forking thread, for the same. */
  readonly maker: number;
  readonly startNs: bigint;
  readonly atNs: bigint;
  /** What an exec was given, each argument ended by a NUL; undefined where it was too long to be told. */
  readonly cmdline: string | undefined;
}
