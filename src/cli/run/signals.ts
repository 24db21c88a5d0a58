/** What signals to `taut run` mean: they are its command's. */
import { constants } from 'node:os';
import { addon } from '../../native.ts';
import { readStatFields } from '../../proc/stat.ts';
import type { HeldCommand } from './held.ts';

/** Whoever sends one means the command. */
const HANDED_ON: readonly NodeJS.Signals[] = [
  ...(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM'] as const),
  ...(['SIGCONT', 'SIGTSTP', 'SIGWINCH', 'SIGPWR', 'SIGIO', 'SIGURG', 'SIGXCPU', 'SIGSTKFLT'] as const),
];
/** A terminal sends them to everybody in the foreground, the command included. */
const OF_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH']);

/** Hands signals on to the command once there is one, and stops with it as a job of an interactive shell does. */
export function handOn(toCommand: () => HeldCommand | undefined): void {
  for (const signal of HANDED_ON)
    process.on(signal, () => {
      if (!OF_TERMINAL.has(signal) || !isInForeground()) toCommand()?.kill(signal);
    });
  unblock('SIGUSR1');
  // A command that stops itself: the shell has to see that its job has stopped, which it sees by taut.
  process.on('SIGCHLD', () => {
    const command = toCommand();
    if (command?.pid !== undefined && !command.hasEnded() && isInForeground() && isStopped(command.pid))
      process.kill(process.pid, 'SIGSTOP');
  });
}

/** Node does not let a signal through of which it was told to open no debugger. */
function unblock(signal: NodeJS.Signals): void {
  try {
    addon().unblock(constants.signals[signal]);
  } catch {
    // Without the addon it stays with taut, and ends nothing.
  }
}

/** Fields of `/proc/PID/stat` from the third on: state, parent, process group, session, terminal, its foreground group. */
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
