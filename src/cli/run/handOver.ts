/** Hands the command over to another taut, which then measures and tunes it. */
import type { AgentStatus } from '../../agents/status.ts';
import type { Targets } from '../../gate/gate.ts';
import { ProcHandle } from '../../proc/handle.ts';
import { traceparentOf } from '../../telemetry/traceContext.ts';
import { askLine } from '../lineClient.ts';
import type { Carried } from './carried.ts';

export interface HandedOver {
  readonly pid: number;
  readonly command: readonly string[];
  /** Target of each knob, by the knob's id. */
  readonly targets: Targets;
  /** What the command was told of its trace. */
  readonly carried: Carried;
}

/**
 * @returns the status of the new agent; undefined when nobody serves at the socket.
 * @throws Error with the reason when the other taut does not take the command.
 */
export async function handOver(
  socket: string,
  { pid, command, targets, carried }: HandedOver,
): Promise<AgentStatus | undefined> {
  using handle = new ProcHandle(pid);
  const { startTicks } = handle.stat();
  const asked = Object.fromEntries([...targets].map(([knob, value]) => [knob, Number(value)]));
  const adopt = { op: 'adopt', pid, startTicks, command, targets: asked };
  const ask = async (request: object) => {
    const text = await askLine(socket, JSON.stringify(request));
    return text === undefined ? undefined : (JSON.parse(text) as { ok?: AgentStatus; error?: string });
  };
  let message = await ask({ ...adopt, run: runOf(carried) });
  // One of an earlier version knows nothing of a run.
  if (message?.error?.includes('Unrecognized key')) message = await ask(adopt);
  if (message === undefined) return undefined;
  if (message.ok === undefined) throw new Error(message.error ?? 'it does not say why');
  return message.ok;
}

function runOf({ span, runId }: Carried) {
  if (!span) return undefined;
  return { traceparent: traceparentOf(span), tracestate: span.state, id: runId };
}
