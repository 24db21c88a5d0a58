/** Hands the command over to another taut, which then measures and tunes it. */
import type { AgentStatus } from '../../agents/status.ts';
import type { Targets } from '../../gate/gate.ts';
import { ProcHandle } from '../../proc/handle.ts';
import { askLine } from '../lineClient.ts';

export interface HandedOver {
  readonly pid: number;
  readonly command: readonly string[];
  /** Target of each knob, by the knob's id. */
  readonly targets: Targets;
}

/**
 * @returns the status of the new agent; undefined when nobody serves at the socket.
 * @throws Error with the reason when the other taut does not take the command.
 */
export async function handOver(
  socket: string,
  { pid, command, targets }: HandedOver,
): Promise<AgentStatus | undefined> {
  using handle = new ProcHandle(pid);
  const { startTicks } = handle.stat();
  const asked = Object.fromEntries([...targets].map(([knob, value]) => [knob, Number(value)]));
  const text = await askLine(socket, JSON.stringify({ op: 'adopt', pid, startTicks, command, targets: asked }));
  if (text === undefined) return undefined;
  const message = JSON.parse(text) as { ok?: AgentStatus; error?: string };
  if (message.ok === undefined) throw new Error(message.error ?? 'it does not say why');
  return message.ok;
}
