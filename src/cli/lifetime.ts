/**
 * How a long-running command ends. All causes meet here: signals, closed streams, uncaught errors, the end of the npm
 * that started it, a closed terminal. The first cause is the reason. A later one is only answered: a second Ctrl-C must
 * not leave agents tuned.
 */
import { readStatFields } from '../proc/stat.ts';
import type { Log } from '../util/log.ts';
import { onNpmEnd } from './npmParent.ts';
import { onClosed } from './output.ts';
import { onUncaught } from './uncaught.ts';

/** Why a command ends, and the exit code that follows from it. */
export interface Ending {
  readonly why: string;
  /** Undefined: the exit code of the job. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** The end is not announced, for instance because nobody reads the output any more. */
  readonly isQuiet?: boolean;
}

/** The reader of the output is gone (the pipe's other end or the terminal): taut ends quietly, as `cat` does. */
const UNREAD: Ending = { why: 'nobody reads it any more', exitCode: 0, isQuiet: true };

/** Signals that somebody may send, and that end a process which does not handle them. */
const ENDING: readonly NodeJS.Signals[] = [
  ...(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGALRM', 'SIGVTALRM', 'SIGXCPU'] as const),
  ...(['SIGPWR', 'SIGIO', 'SIGSTKFLT'] as const),
];
/** People send these to reopen a log or to dump state: they must not end a daemon or open Node's debugger. */
const WITHOUT_MEANING: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2'];
/** How long the orderly end may take after an uncaught error. */
const LIMIT_MS = 10_000;
/** Set by the launcher when SIGHUP is ignored, for instance under nohup: Node resets that at its start. */
const NOHUP = 'TAUT_NOHUP';

export class Lifetime {
  /** Resolves with the first reason to end. Keeps the process alive until then. */
  readonly ended: Promise<Ending>;
  /** What taut does now: shown to a user who sends a further signal. */
  doing = 'starting';
  #ending: Ending | undefined;
  readonly #log: Log;
  readonly #resolve: (ending: Ending) => void;
  readonly #alive = setInterval(() => {}, 1 << 30);
  #putBack: () => void = () => {};

  /** @param hangUp what SIGHUP means; `reload`: it does not end the command, another module handles it. */
  constructor(log: Log, hangUp: 'end' | 'reload') {
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#resolve = resolve;
    for (const signal of ENDING) process.on(signal, () => this.end({ why: signal, signal }));
    if (hangUp === 'end') process.on('SIGHUP', () => this.end({ why: 'SIGHUP', signal: 'SIGHUP' }));
    else process.on('SIGHUP', () => {}); // until the other module has added its handler
    for (const signal of WITHOUT_MEANING)
      process.on(signal, () => log.info(`${signal} has no meaning for taut: ignored`));
    onUncaught(log, '', () => this.#endAfterError());
    onClosed(() => this.end(UNREAD));
    onNpmEnd(() => this.end({ why: 'the npm that started taut has ended' }));
  }

  /** Sets what must still happen after an uncaught error: `putBack` runs at once, synchronously. */
  onUncaught(putBack: () => void): void {
    this.#putBack = putBack;
  }

  /** The first reason counts; a later one is answered with what taut does now. */
  end(ending: Ending): void {
    if (this.#ending) {
      if (!ending.isQuiet) this.#log.info(`${ending.why}: taut is ending already, and is ${this.doing}`);
      return;
    }
    this.#ending = ending;
    clearInterval(this.#alive);
    this.#resolve(ending);
  }

  /** Rejects with `EndedEarly` when the command must end before `work` is done. */
  async unlessEnded<T>(work: Promise<T>): Promise<T> {
    const ended = this.ended.then((ending) => {
      throw new EndedEarly(ending);
    });
    return Promise.race([work, ended]);
  }

  #endAfterError(): void {
    setTimeout(() => process.exit(1), LIMIT_MS).unref();
    this.end({ why: 'an unexpected error', exitCode: 1 });
    this.#putBack();
  }
}

/** The command had to end before its job was done. */
export class EndedEarly extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.why);
    this.name = 'EndedEarly';
    this.ending = ending;
  }
}

/**
 * What SIGHUP means to a daemon. With a terminal: the terminal was closed, so the daemon ends. Without one, and under
 * nohup, where a closed terminal must not end the daemon: it reads its rules again.
 */
export function hangUpOfDaemon(env: NodeJS.ProcessEnv = process.env): 'end' | 'reload' {
  return hasTerminal() && env[NOHUP] === undefined ? 'end' : 'reload';
}

/** Whether this process has a controlling terminal: field 7 of its `stat`. */
function hasTerminal(): boolean {
  return readStatFields('self')[4] !== '0';
}
