/** Logs what became of an agent as a whole: attached, tuned, put back, ended. */
import type { Restored } from '../actuator/restore.ts';
import type { Log } from '../util/log.ts';
import type { AgentIdentity } from './identity.ts';
import type { KnobTuning } from './knobTuning.ts';
import { outcomesOf } from './trace.ts';

export function sayAttached(log: Log, { name, pid, rule }: AgentIdentity): void {
  log.info(`attached to ${name} (${pid}) by rule ${describeRule(rule)}`);
}

/** @param times in milliseconds: first the sighting, then the end of each step. */
export function sayTimes(log: Log, { name, pid }: AgentIdentity, times: readonly number[]): void {
  const us = (from: number, to: number) => `${((to - from) * 1_000).toFixed(0)} us`;
  const steps = ['heard', 'decided', 'placed', 'settled'].map(
    (step, i) => `${step} in ${us(times[i] ?? 0, times[i + 1] ?? 0)}`,
  );
  log.debug(`${name} (${pid}): ${steps.join(', ')}; ${us(times[0] ?? 0, times.at(-1) ?? 0)} after it was sighted`);
}

/** Logs the gate's decision. @param before the target until now. */
export function sayGate(
  log: Log,
  { name, pid }: AgentIdentity,
  { target, knob, gate, threads }: KnobTuning,
  before: bigint | undefined,
): void {
  if (target !== undefined) {
    const tuned = outcomesOf(threads).filter((outcome) => outcome === 'tuned').length;
    const to = `${knob.title} ${knob.format(target)}`;
    const whose = knob.of === 'tools' ? `the tools of ${name}` : name;
    log.info(`tuned ${tuned} of ${threads.size} threads of ${whose} (${pid}): ${to}`);
  } else if (before !== undefined) log.info(`put the ${knob.title} of ${name} (${pid}) back: ${gate.reason}`);
}

export function sayShared(log: Log, { name, pid }: AgentIdentity): void {
  log.warn(`too many agents for series of their own: from ${name} (${pid}) on they share one`);
}

export function sayEnded(log: Log, { name, pid }: AgentIdentity): void {
  log.info(`${name} (${pid}) has ended`);
}

/**
 * Logs that an agent is watched no more, and what of it was put back.
 * @param failed called when threads could not be put back
 */
export function sayLetGo(
  log: Log,
  { name, pid }: AgentIdentity,
  reason: string,
  results: readonly Restored[],
  failed: (what: string, error: unknown) => void,
): void {
  // A thread of which several knobs were tuned is one thread.
  const threads = [...Map.groupBy(results, ({ tid }) => tid).values()];
  const back = threads.filter((thread) => thread.every(({ outcome }) => outcome === 'restored')).length;
  const lost = threads.filter((thread) => thread.some(({ outcome }) => outcome === 'failed')).length;
  if (lost > 0)
    failed(
      `${lost} threads of ${name} (${pid}) could not be put back, and stay on record for taut restore`,
      new Error(results.find((r) => r.detail)?.detail ?? 'for an unknown reason'),
    );
  const why = reason === 'shutdown' ? 'taut ends' : reason;
  const ended = threads.filter((thread) => thread.every(({ outcome }) => outcome === 'vanished')).length;
  const others = ended > 0 ? ` (${ended} ended before)` : '';
  const done = results.length > 0 ? `; put back ${back} of ${threads.length} threads${others}` : '';
  log.info(`stopped watching ${name} (${pid}): ${why}${done}`);
}

/** `pid` is not a rule of the configuration: it stands for the operator. */
function describeRule(rule: string): string {
  return rule === 'pid' ? 'pid (named on the command line)' : rule;
}
