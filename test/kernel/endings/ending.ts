/** What a row of the table is, and the words that rows are made of. */
import { setTimeout } from 'node:timers/promises';
import type { Life, Start, Way } from './life.ts';

export interface Ending {
  readonly name: string;
  readonly ways: readonly Way[];
  /** The ways that npm test tries, on one agent. The endurance test tries all, on hundreds. */
  readonly quick: readonly Way[];
  /**
   * `itself`: taut puts everything back before it ends, and the traces say so. `guard`: it is dead at once, so others put
   * back. `either`: it may do the one or the other.
   */
  readonly by: 'itself' | 'guard' | 'either';
  readonly start?: Start;
  /** Of what was started (a shell, where there is one). */
  readonly exit?: number;
  /** The state directory is gone, and the traces with it. */
  readonly losesTraces?: boolean;
  /** The demo's sample gets it as well, and may be gone before it can be put back. */
  readonly reachesSample?: boolean;
  /** It is a mistake in taut, whose place may be said. */
  readonly isMistake?: boolean;
  readonly end: (life: Life) => void | Promise<void>;
}

/** The commands. */
export const COMMANDS: readonly Way[] = ['watch', 'attach', 'run', 'demo'];
/** Those that end with a signal: `run` ends when its command does. */
export const WATCHERS: readonly Way[] = ['watch', 'attach', 'demo'];

/** Started by a shell, which has the command and its arguments as "$@". */
export function shell(script: string): (command: readonly string[]) => string[] {
  return (command) => ['bash', '-c', script, 'bash', ...command];
}

/** Signals, so many milliseconds apart. */
export function signals(apartMs: number, ...all: (NodeJS.Signals | number)[]): (life: Life) => Promise<void> {
  return async (life) => {
    for (const [i, signal] of all.entries()) {
      if (i > 0 && apartMs > 0) await setTimeout(apartMs);
      life.signal(signal);
    }
  };
}

/** What may end taut or not; where it goes on, it is asked to end. */
export async function askedIfItGoesOn(life: Life): Promise<void> {
  const deadline = performance.now() + 300;
  while (!life.hasEnded && performance.now() < deadline) await setTimeout(10);
  life.signal('SIGTERM');
}
