import type { KernelEvent } from '../native.ts';

/** At least one event; all of one kind, about one process, in the order in which the kernel told them. */
export type EventBatch = readonly [KernelEvent, ...KernelEvent[]];

/** Neighbouring events that can be handled together, so that a thousand new threads are one transaction. Pure. */
export function batches(events: readonly KernelEvent[]): EventBatch[] {
  const all: [KernelEvent, ...KernelEvent[]][] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (last?.[0].kind === event.kind && last[0].pid === event.pid) last.push(event);
    else all.push([event]);
  }
  return all;
}
