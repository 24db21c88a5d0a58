/** The processes that a watcher looks at. */
import { descendsFrom } from '../proc/ancestry.ts';
import { cmdlineOf } from '../proc/cmdline.ts';

export type Scope =
  /** Every process. */
  | { readonly kind: 'host' }
  /** Only these processes, which the operator named as agents. */
  | { readonly kind: 'pids'; readonly pids: ReadonlySet<number> }
  /**
   * One process, which the operator named as an agent, and those of its descendants that a rule matches. `command`:
   * what the process will run; until then it runs `native/hold`, which then executes the command.
   */
  | { readonly kind: 'tree'; readonly root: number; readonly command: readonly string[] };

export function describeScope(scope: Scope): string {
  if (scope.kind === 'host') return 'every process of this host';
  if (scope.kind === 'tree') return `process ${scope.root} and its descendants`;
  return [...scope.pids].join(', ');
}

/** Whether the operator named this process as an agent. */
export function isNamed(scope: Scope, pid: number): boolean {
  return scope.kind === 'pids' ? scope.pids.has(pid) : scope.kind === 'tree' && scope.root === pid;
}

/**
 * The command that `taut run` gave the process, which it may not run yet; each argument ends with a NUL. Undefined for
 * other processes: /proc has their command line.
 */
export function givenCmdline(scope: Scope, pid: number): string | undefined {
  return scope.kind === 'tree' && scope.root === pid ? cmdlineOf(scope.command) : undefined;
}

/** Whether a process is in the scope. */
export function inScope(scope: Scope, pid: number): boolean {
  if (scope.kind === 'host') return true;
  return isNamed(scope, pid) || (scope.kind === 'tree' && descendsFrom(pid, scope.root));
}
