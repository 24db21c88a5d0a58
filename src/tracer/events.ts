import type { EventFields, KernelEvent, Layout } from '../native.ts';

/** The life events in what the addon hands on, in the order in which the kernel told them. Pure. */
export function eventsOf(fields: EventFields, { events: kinds, eventFields }: Layout): KernelEvent[] {
  const events: KernelEvent[] = [];
  for (let at = 0; at < fields.length; at += eventFields) {
    const kind = kinds[fields[at] as number];
    if (kind === undefined) continue;
    const event = {
      kind,
      pid: fields[at + 1] as number,
      tid: fields[at + 2] as number,
      ppid: fields[at + 3] as number,
      maker: fields[at + 4] as number,
      startNs: fields[at + 5] as bigint,
      atNs: fields[at + 6] as bigint,
      cmdline: fields[at + 7] as string | undefined,
    };
    events.push(event);
  }
  return events;
}
