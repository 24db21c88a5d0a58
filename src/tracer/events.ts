import { type KernelEvent, type Layout, recordsOf } from '../native.ts';

/** The life events in what a ring buffer held, in the order in which the kernel told them. Pure. */
export function eventsOf(records: Buffer, { events: kinds, event: at }: Layout): KernelEvent[] {
  const events: KernelEvent[] = [];
  for (const record of recordsOf(records)) {
    if (record.length < at.bytes) continue;
    const kind = kinds[record.readUInt32LE(at.kind)];
    if (kind === undefined) continue;
    const size = record.readUInt32LE(at.size);
    events.push({
      kind,
      pid: record.readUInt32LE(at.pid),
      tid: record.readUInt32LE(at.tid),
      ppid: record.readUInt32LE(at.ppid),
      maker: record.readUInt32LE(at.maker),
      startNs: record.readBigUInt64LE(at.startNs),
      atNs: record.readBigUInt64LE(at.atNs),
      cmdline: size > 0 ? record.toString('utf8', at.bytes, at.bytes + size) : undefined,
    });
  }
  return events;
}
