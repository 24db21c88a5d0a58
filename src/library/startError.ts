/**
 * Why `startTaut` refuses, or gave up:
 * - `ERR_TAUT_OPTION`: an option, or the configuration, has a value that can't be meant; the message names it
 * - `ERR_TAUT_LOCKED`: another taut has the state directory, or tunes on this host; the message names its process
 * - `ERR_TAUT_HOST`: this host can't do it: the kernel, the privileges, too few open files, or taut is not built for it
 * - `ERR_TAUT_NODE`: this Node is too old
 * - `ERR_TAUT_API`: the application has registered its telemetry with a copy of `@opentelemetry/api` that taut does not see
 * - `ERR_TAUT_STARTED`: this process has a taut already
 * - `ERR_TAUT_FAILED`: anything else; `cause` is the error
 */
export type StartErrorCode =
  | 'ERR_TAUT_OPTION'
  | 'ERR_TAUT_LOCKED'
  | 'ERR_TAUT_HOST'
  | 'ERR_TAUT_NODE'
  | 'ERR_TAUT_API'
  | 'ERR_TAUT_STARTED'
  | 'ERR_TAUT_FAILED';

/** The one error that `startTaut` rejects with. Its message says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
