/** Starts the command of `taut run`, holds it for a moment so that it can be tuned first, and waits for its end. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { holdPath } from '../../native.ts';
import { nowMs } from '../../proc/clock.ts';
import { hasCapability } from '../capabilities.ts';

/** The longest time, in milliseconds, that a command waits to be tuned before its first instruction. */
export const HOLD_MS = 50;
/** The same without privilege: taut can't set the timer slack of a process that runs. */
const UNPRIVILEGED_MS = 1_000;
/** The exit codes of a shell. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;
/** The command's descriptor whose end of file releases it. */
const HOLD = 3;
/** The system has no room for one more process, or for the descriptors that starting it needs. */
const NO_ROOM: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

/** How long a command that is to be tuned waits at most. */
export function holdMs(): number {
  return hasCapability('CAP_SYS_NICE') ? HOLD_MS : UNPRIVILEGED_MS;
}

export interface CommandEnd {
  /** As in `HeldCommand.ended`. */
  readonly code: number;
  /** The signal that ended it, if one did. */
  readonly signal?: NodeJS.Signals;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export interface HeldCommand {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** The command's exit code; 128 plus the signal's number when a signal ended it. */
  readonly ended: Promise<number>;
  hasEnded(): boolean;
  /** How it has ended; undefined while it runs. */
  end(): CommandEnd | undefined;
  /** Lets the command run its first instruction. */
  release(): void;
  /**
   * Has the command begin with this timer slack, in nanoseconds, and releases it. @returns the slack that it begins with;
   * undefined when it is held no more.
   */
  releaseWithSlack(ns: bigint): Promise<bigint | undefined>;
  kill(signal: NodeJS.Signals): void;
}

/** Like `hold`, but does not start the command when it can't be held. */
export function tryHold(
  command: readonly string[],
  ms: number,
  say: (message: string) => void,
  env: NodeJS.ProcessEnv,
): HeldCommand | undefined {
  try {
    const held = startHeld(command, ms, env);
    if (held.pid !== undefined) return watched(held, say, command);
    held.once('error', () => {}); // the next try reports it
  } catch {
    // The next try reports this error too.
  }
  return undefined;
}

/**
 * Starts a command, under its final process id. It runs its first instruction when it is released, or after `ms`
 * milliseconds, whatever happens to taut. A command that can't be held is started at once; when there is no room for it
 * beside taut, this process becomes the command.
 */
export async function hold(
  command: readonly string[],
  ms: number,
  say: (message: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<HeldCommand> {
  try {
    const held = startHeld(command, ms, env);
    if (held.pid !== undefined) return watched(held, say, command);
    const [error] = (await once(held, 'error').catch((error) => [error])) as [NodeJS.ErrnoException];
    if (NO_ROOM.has(error.code)) become(command, `there is no room for it beside taut: ${error.message}`, say);
    const { TAUT_IGNORED_SIGNALS: _, TAUT_NOHUP: __, TAUT_OPEN_FILES: ___, ...its } = env;
    return watched(start(command, 'inherit', its), say, command);
  } catch (error) {
    const end = { code: failure(error as Error, command, say), atMs: nowMs() };
    const releaseWithSlack = async () => undefined;
    const ended = { ended: Promise.resolve(end.code), hasEnded: () => true, end: () => end };
    return { pid: undefined, ...ended, release: () => {}, releaseWithSlack, kill: () => {} };
  }
}

/** @throws Error for some failures to start; for the others the child has no id, and emits the error. */
function startHeld(command: readonly string[], ms: number, env: NodeJS.ProcessEnv): ChildProcess {
  return start([holdPath(), String(HOLD), String(ms), ...command], ['inherit', 'inherit', 'inherit', 'pipe'], env);
}

/** @throws Error for some failures to start; for the others the child has no id, and emits the error. */
function start([program = '', ...args]: readonly string[], stdio: StdioOptions, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(program, args, { stdio, env });
}

/** Replaces this process by the command, after `why` was said. Returns only when that fails. */
export function become(command: readonly string[], why: string, say: (message: string) => void): void {
  say(`not watching the command: ${why}`);
  process.execve?.(holdPath(), [holdPath(), '-1', '0', ...command]);
}

function failure(error: NodeJS.ErrnoException, [program]: readonly string[], say: (message: string) => void): number {
  const isMissing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
  say(`${program}: ${isMissing ? 'not found' : error.message}`);
  return isMissing ? NOT_FOUND : NOT_RUNNABLE;
}

function watched(child: ChildProcess, say: (message: string) => void, command: readonly string[]): HeldCommand {
  let end: CommandEnd | undefined;
  const ended = new Promise<number>((resolve) => {
    const ends = (code: number, signal?: NodeJS.Signals | null) => {
      end ??= { code, atMs: nowMs(), ...(signal && { signal }) };
      resolve(end.code);
    };
    child.once('error', (error) => ends(failure(error, command, say)));
    child.once('exit', (code, signal) => ends(code ?? 128 + (signal ? constants.signals[signal] : 0), signal));
  });
  const line = child.stdio?.[HOLD] as Duplex | undefined; // undefined when the child could not be started
  line?.on('error', () => {}); // the command may be gone
  return {
    pid: child.pid,
    ended,
    hasEnded: () => end !== undefined,
    end: () => end,
    release: () => line?.destroy(),
    releaseWithSlack: async (ns) => {
      if (!line || line.destroyed) return undefined;
      line.write(`${ns}\n`);
      const answer = await text(line).catch(() => '');
      line.destroy();
      return answer === '' ? undefined : BigInt(answer.trim());
    },
    kill: (signal) => void child.kill(signal),
  };
}
