/**
 * How a long-running command ends. Everything that can end it comes together here: signals, closed streams, errors that
 * nobody caught, the end of the npm that started it, the terminal. The first is the reason. What comes later gets an answer
 * and cuts nothing short: a second Ctrl-C must not leave agents tuned.
 */
import { readStatFields } from '../proc/stat.ts';
import type { Log } from '../util/log.ts';
import { onNpmEnd } from './npmParent.ts';
import { onClosed } from './output.ts';
import { onUncaught } from './uncaught.ts';

/** Why a command ends, and what its exit code is on account of that. */
export interface Ending {
  readonly why: string;
  /** Undefined: the job's own. */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Nobody reads what is said any more. */
  readonly isQuiet?: boolean;
}

/** Nobody reads what is printed any more: the pipe's other end or the terminal is gone. It ends as `cat` does, quietly. */
const UNREAD: Ending = { why: 'nobody reads it any more', exitCode: 0, isQuiet: true };

/** Signals that end a process which does not handle them, and that somebody may send. */
const ENDING: readonly NodeJS.Signals[] = [
  ...(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGALRM', 'SIGVTALRM', 'SIGXCPU'] as const),
  ...(['SIGPWR', 'SIGIO', 'SIGSTKFLT'] as const),
];
/** People send these to have a log reopened or a state dumped: that must not end a daemon, nor open Node's debugger. */
const WITHOUT_MEANING: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2'];
/** How long the orderly end may take after an error that nobody caught. */
const LIMIT_MS = 10_000;
/** Set by the launcher where SIGHUP is ignored, as under nohup: Node forgets that. */
const NOHUP = 'TAUT_NOHUP';

export class Lifetime {
  /** Resolves with the first reason to end. Keeps the process alive until then. */
  readonly ended: Promise<Ending>;
  /** What is being done now, for whoever sends a further signal. */
  doing = 'starting';
  #ending: Ending | undefined;
  readonly #log: Log;
  readonly #resolve: (ending: Ending) => void;
  readonly #alive = setInterval(() => {}, 1 << 30);
  #putBack: () => void = () => {};

  /** @param hangUp what SIGHUP means; `reload`: nothing that ends, somebody else handles it. */
  constructor(log: Log, hangUp: 'end' | 'reload') {
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#resolve = resolve;
    for (const signal of ENDING) process.on(signal, () => this.end({ why: signal, signal }));
    if (hangUp === 'end') process.on('SIGHUP', () => this.end({ why: 'SIGHUP', signal: 'SIGHUP' }));
    else process.on('SIGHUP', () => {}); // also before there is somebody to handle it
    for (const signal of WITHOUT_MEANING)
      process.on(signal, () => log.info(`${signal} has no meaning for taut: ignored`));
    onUncaught(log, '', () => this.#endAfterError());
    onClosed(() => this.end(UNREAD));
    onNpmEnd(() => this.end({ why: 'the npm that started taut has ended' }));
  }

  /** What an error that nobody caught must not prevent: runs at once, synchronously. */
  onUncaught(putBack: () => void): void {
    this.#putBack = putBack;
  }

  /** The first reason counts; later ones are answered with what is being done. */
  end(ending: Ending): void {
    if (this.#ending) {
      if (!ending.isQuiet) this.#log.info(`${ending.why}: taut is ending already, and is ${this.doing}`);
      return;
    }
    this.#ending = ending;
    clearInterval(this.#alive);
    this.#resolve(ending);
  }

  /** Rejects when the command is to end before `work` is done. */
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

/** A job was to end before it was done. */
export class EndedEarly extends Error {
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(ending.why);
    this.name = 'EndedEarly';
    this.ending = ending;
  }
}

/**
 * What SIGHUP means to a daemon: at a terminal that the terminal was closed; without one, that it is to read its rules
 * again. Under nohup it is to mean nothing: then there is no terminal to lose, so it is a reload as well.
 */
export function hangUpOfDaemon(env: NodeJS.ProcessEnv = process.env): 'end' | 'reload' {
  return hasTerminal() && env[NOHUP] === undefined ? 'end' : 'reload';
}

/** Whether this process has a controlling terminal: field 7 of its `stat`. */
function hasTerminal(): boolean {
  return readStatFields('self')[4] !== '0';
}
