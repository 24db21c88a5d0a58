/** Handing the command over to another taut, which then measures and tunes it as one that it was told of. */
import type { AgentStatus } from '../../agents/status.ts';
import type { Targets } from '../../gate/gate.ts';
import { ProcHandle } from '../../proc/handle.ts';
import { askLine } from '../lineClient.ts';

export interface HandedOver {
  readonly pid: number;
  readonly command: readonly string[];
  /** What it is to be tuned to. */
  readonly targets: Targets;
}

/** @returns what became of it; undefined when nobody serves there. @throws Error when it is not taken, with why. */
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
