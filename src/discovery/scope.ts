/** Which processes of the host a watcher looks at. */
import { descendsFrom } from '../proc/ancestry.ts';
import { cmdlineOf } from '../proc/cmdline.ts';

export type Scope =
  /** Every process. */
  | { readonly kind: 'host' }
  /** Just these, which are agents because somebody said so. */
  | { readonly kind: 'pids'; readonly pids: ReadonlySet<number> }
  /**
   * One process, which is an agent because somebody said so, and whatever of its descendants a rule names. `command`: what
   * it will run; at first it is what holds it (`native/hold`), and becomes that.
   */
  | { readonly kind: 'tree'; readonly root: number; readonly command: readonly string[] };

export function describeScope(scope: Scope): string {
  if (scope.kind === 'host') return 'every process of this host';
  if (scope.kind === 'tree') return `process ${scope.root} and its descendants`;
  return [...scope.pids].join(', ');
}

/** Whether a process is an agent by the operator's word. */
export function isNamed(scope: Scope, pid: number): boolean {
  return scope.kind === 'pids' ? scope.pids.has(pid) : scope.kind === 'tree' && scope.root === pid;
}

/** What somebody gave the process to run, which it may not do yet: each argument ended by a NUL. Undefined: it must say itself. */
export function givenCmdline(scope: Scope, pid: number): string | undefined {
  return scope.kind === 'tree' && scope.root === pid ? cmdlineOf(scope.command) : undefined;
}

/** Whether a process may be looked at. */
export function inScope(scope: Scope, pid: number): boolean {
  if (scope.kind === 'host') return true;
  return isNamed(scope, pid) || (scope.kind === 'tree' && descendsFrom(pid, scope.root));
}
