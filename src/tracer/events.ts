import { type KernelEvent, type Layout, recordBounds } from '../native.ts';

/**
 * The life events in the first `length` bytes of a ring buffer's Buffer, in the order in which the kernel reported
 * them. Uses a DataView, because this runs at every exec on the host, and cold Buffer methods are slower.
 */
export function eventsOf(buffer: Buffer, length: number, { events: kinds, event: at }: Layout): KernelEvent[] {
  const events: KernelEvent[] = [];
  const view = new DataView(buffer.buffer, buffer.byteOffset, length);
  for (const [begin, end] of recordBounds(view)) {
    if (end - begin < at.bytes) continue;
    const kind = kinds[view.getUint32(begin + at.kind, true)];
    if (kind === undefined) continue;
    const size = view.getUint32(begin + at.size, true);
    const cmdline = begin + at.bytes;
    events.push({
      kind,
      pid: view.getUint32(begin + at.pid, true),
      tid: view.getUint32(begin + at.tid, true),
      ppid: view.getUint32(begin + at.ppid, true),
      maker: view.getUint32(begin + at.maker, true),
      user: view.getUint32(begin + at.user, true),
      held: view.getUint32(begin + at.held, true),
      startNs: view.getBigUint64(begin + at.startNs, true),
      atNs: view.getBigUint64(begin + at.atNs, true),
      cmdline: size > 0 ? buffer.toString('utf8', cmdline, Math.min(cmdline + size, end)) : undefined,
    });
  }
  return events;
}
