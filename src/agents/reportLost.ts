import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { LostKind } from '../tracer/tracer.ts';
import type { Log } from '../util/log.ts';
import type { Flood } from './floods.ts';

/** What was lost, and what becomes of it. */
const WORDS: Readonly<Record<LostKind, readonly [what: string, then: string]>> = {
  exec: ['reports of new programs', 'the kernel tells again of those that still run'],
  birth: ['reports of new threads and children of agents', 'the kernel tells again of those that still live'],
  end: ["reports of ends of agents' threads", 'looking at every agent again'],
  rename: ['reports of new names of processes', 'the kernel tells again of those that still run'],
  unseen: ['events that the kernel did not report', 'looking at every process again'],
};

/** `n` events of this kind were lost: there was no room for them, or nothing reported them. @param flood who caused most. */
export function reportLost(log: Log, kind: LostKind, n: number, flood?: Flood): void {
  const [what, then] = WORDS[kind];
  log.warn(
    `lost ${n} ${what}; ${then}${flood ? `; most come from user ${flood.user} (process ${flood.pid}, for one)` : ''}`,
  );
  emit('taut.events_lost', {
    [semconv.ATTR_TAUT_EVENTS_LOST]: n,
    [semconv.ATTR_TAUT_EVENTS_KIND]: kind,
    ...(flood && { [semconv.ATTR_PROCESS_PID]: flood.pid, [semconv.ATTR_USER_ID]: String(flood.user) }),
  });
}
