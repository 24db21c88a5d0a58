/** Exit codes, and the one error class that carries them. */
export const EXIT = {
  done: 0,
  /** The job failed, or only a part was done. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** This host can't do it: kernel or privilege. */
  host: 3,
} as const;

export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
