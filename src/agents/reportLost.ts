import type { ContactKind } from '../native.ts';
import { emit } from '../telemetry/events.ts';
import * as semconv from '../telemetry/semconv.ts';
import type { LostKind } from '../tracer/tracer.ts';
import { FailureLog } from '../util/failureLog.ts';
import type { Flood } from '../util/floods.ts';
import type { Log } from '../util/log.ts';

/** What was lost, and what becomes of it. */
const WORDS: Readonly<Record<LostKind | ContactKind, readonly [what: string, then: string]>> = {
  exec: ['reports of new programs', 'the kernel tells again of those that still run'],
  birth: ['reports of new threads and children of agents', 'the kernel tells again of those that still live'],
  end: ["reports of ends of agents' threads", 'looking at every agent again'],
  rename: ['reports of new names of processes', 'the kernel tells again of those that still run'],
  question: ['questions for names', 'who asks for a name only once is not known by it'],
  answer: ['answers to questions for names', 'who connects to an address of theirs is not known by the name'],
  connect: ['reports of new connections', 'looking at the TCP connections that there are'],
  hello: ['server names of new connections', 'who connects is not known by them'],
  unseen: ['events that the kernel did not report', 'looking at every process again'],
};

/** Warns once a minute of each kind: a flood goes on for long. */
export function limited(log: Log): (line: string) => void {
  const rarely = new FailureLog({ ...log, error: log.warn });
  return (line) => rarely.say(line);
}

/** `n` events of this kind were lost: held back, or there was no room, or nothing reported them. @param flood who caused most. */
export function reportLost(say: (line: string) => void, kind: LostKind | ContactKind, n: number, flood?: Flood): void {
  const [what, then] = WORDS[kind];
  const whose = flood ? `; most come from user ${flood.user} (process ${flood.pid}, for one)` : '';
  const body = `lost ${n} ${what}; ${then}${whose}`;
  say(body);
  const attributes = {
    [semconv.ATTR_TAUT_EVENTS_LOST]: n,
    [semconv.ATTR_TAUT_EVENTS_KIND]: kind,
    ...(flood && { [semconv.ATTR_PROCESS_PID]: flood.pid, [semconv.ATTR_USER_ID]: String(flood.user) }),
  };
  emit('taut.events_lost', attributes, { body });
}
