/** Signals to `taut run` are meant for its command. */
import { constants } from 'node:os';
import { addon } from '../../native.ts';
import { readStatFields } from '../../proc/stat.ts';
import type { HeldCommand } from './held.ts';

/** Signals that are forwarded to the command. */
const HANDED_ON: readonly NodeJS.Signals[] = [
  ...(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM'] as const),
  ...(['SIGCONT', 'SIGTSTP', 'SIGWINCH', 'SIGPWR', 'SIGIO', 'SIGURG', 'SIGXCPU', 'SIGSTKFLT'] as const),
];
/** A terminal sends these to every process in the foreground, also to the command. */
const OF_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH']);

/** Forwards signals to the command once it exists, and stops when it stops, as a job of an interactive shell does. */
export function handOn(toCommand: () => HeldCommand | undefined): void {
  for (const signal of HANDED_ON)
    process.on(signal, () => {
      if (!OF_TERMINAL.has(signal) || !isInForeground()) toCommand()?.kill(signal);
    });
  unblock('SIGUSR1');
  // When the command stops itself, taut stops too: only so the shell sees that its job has stopped.
  process.on('SIGCHLD', () => {
    const command = toCommand();
    if (command?.pid !== undefined && !command.hasEnded() && isInForeground() && isStopped(command.pid))
      process.kill(process.pid, 'SIGSTOP');
  });
}

/** Node blocks this signal when it was told not to open a debugger on it. */
function unblock(signal: NodeJS.Signals): void {
  try {
    addon().unblock(constants.signals[signal]);
  } catch {
    // Without the addon the signal is not forwarded, and ends nothing.
  }
}

/** Fields of `/proc/PID/stat` from the third: state, parent, process group, session, terminal, its foreground group. */
function stat(pid: number | 'self'): string[] {
  try {
    return readStatFields(pid);
  } catch {
    return []; // gone
  }
}

function isInForeground(): boolean {
  const [, , group, , , foreground] = stat('self');
  return group !== undefined && group === foreground;
}

function isStopped(pid: number): boolean {
  return stat(pid)[0] === 'T';
}
