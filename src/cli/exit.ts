/** Exit codes, and the error class that carries one. */
export const EXIT = {
  done: 0,
  /** The job failed, or was only partly done. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** This host can't do it: the kernel lacks a feature, or taut lacks a privilege. */
  host: 3,
} as const;

export class CliError extends Error {
  readonly exitCode: number;
  /** `locked`: another taut holds a lock that this one needs. */
  readonly reason: 'locked' | undefined;

  constructor(message: string, exitCode: number, reason?: 'locked') {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.reason = reason;
  }
}
