/** What a running daemon answers to other commands. */
import type { Decisions } from '../discovery/decisions.ts';
import type { StatusDocument } from '../status.ts';
import type { Watcher } from '../watcher.ts';
import type { Request } from './control.ts';

interface Daemon {
  readonly watcher: Watcher;
  readonly decisions: Decisions;
  readonly status: () => StatusDocument;
}

export function answer(request: Request, { watcher, decisions, status }: Daemon): unknown {
  switch (request.op) {
    case 'status':
      return status();
    case 'explain':
      return { ...decisions.explain(request.pid), gate: watcher.agent(request.pid)?.tunings[0]?.gate ?? null };
    case 'last':
      return decisions.last(request.n);
    case 'restore':
      return request.pids.flatMap((pid) => watcher.revert(pid, 'taut restore'));
  }
}
