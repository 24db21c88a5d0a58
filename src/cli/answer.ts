/** What a running daemon answers to other commands. */
import type { Adopted, Decisions } from '../discovery/decisions.ts';
import type { StatusDocument } from '../status.ts';
import type { Watcher } from '../watcher.ts';
import type { Request } from './control.ts';

interface Daemon {
  readonly watcher: Watcher;
  readonly decisions: Decisions;
  readonly status: () => StatusDocument;
}

function adopted({ pid, startTicks, command, targets }: Extract<Request, { op: 'adopt' }>): Adopted {
  const asked = Object.entries(targets).map(([knob, value]) => [knob, BigInt(value)] as const);
  return { pid, startTicks, command, targets: new Map(asked) };
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
    case 'adopt':
      return watcher.adopt(adopted(request));
  }
}
