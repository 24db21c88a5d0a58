/** What agents waited for, in five lines each, and what would help: said when a command ends, on a terminal. */
import type { Knob } from '../actuator/knob.ts';
import { KNOBS } from '../actuator/knobs.ts';
import type { AgentEvent, AgentStatus } from '../agents/status.ts';
import type { Delay, TimerWaits } from '../agents/waits.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';
import { roughly } from '../util/roughly.ts';

/** Agents that are remembered, and that are told of: those that were woken most. */
const MOST_KEPT = 1_000;
const MOST_TOLD = 3;
/** With fewer wakeups the hundredth of them that came latest is one, and says nothing. */
const ENOUGH = 100;
/** A delay that a person or a protocol can notice: a thread had to wait for another one's turn. */
const LONG_QUEUE = 0.001;
/** Half of the slack that Linux gives a thread: less is hardly slack. */
const LONG_SLACK = 25e-6;

interface Kept {
  readonly agent: AgentStatus;
  /** What it was tuned to last, while it ran. */
  readonly tuned: ReadonlyMap<string, bigint>;
}

/** Hears what happens to agents. */
export class Waited {
  readonly #byPid = new Map<number, Kept>();
  #left = 0;

  /** For `SessionOptions.onEvent`. */
  readonly hear = ({ event, agent }: AgentEvent): void => {
    const before = this.#byPid.get(agent.pid);
    if (!before && this.#byPid.size >= MOST_KEPT) {
      this.#left++;
      return;
    }
    // An agent that is let go is put back first.
    const tuned = event === 'release' && before ? before.tuned : targetsOf(agent);
    this.#byPid.set(agent.pid, { agent, tuned });
  };

  /** Empty when nothing was measured. */
  lines(): string[] {
    const measured = [...this.#byPid.values()].filter(({ agent }) => (agent.waits?.wakeups ?? 0) > 0);
    const busiest = measured.toSorted((a, b) => (b.agent.waits?.wakeups ?? 0) - (a.agent.waits?.wakeups ?? 0));
    const left = measured.length - Math.min(MOST_TOLD, measured.length) + this.#left;
    return [
      ...busiest.slice(0, MOST_TOLD).flatMap(({ agent, tuned }) => describeWaits(agent, tuned)),
      ...(left > 0
        ? [
            `and ${left} more ${left === 1 ? 'agent' : 'agents'}, which telemetry has (taut status shows those that run)`,
          ]
        : []),
    ];
  }
}

/** One line for `taut status`; none when nothing was measured. */
export function waitsInShort({ waits }: AgentStatus): string[] {
  if (!waits || waits.wakeups === 0) return [];
  const { seconds, wakeups, timers, runQueue } = waits;
  const { found, tuned } = timers?.reachable ?? {};
  const share = ((found?.count ?? 0) + (tuned?.count ?? 0)) / wakeups;
  const both = ({ p50, p99 }: Delay) => `p50 ${roughly(p50 ?? 0)}, p99 ${roughly(p99 ?? 0)}`;
  return [
    [
      `${number(wakeups / Math.max(seconds, 1))} wakeups/s${timers ? `, slack reaches ${Math.round(100 * share)}% of them` : ''}`,
      ...(timers && timers.lateness.count > 0 ? [`timers late: ${both(timers.lateness)}`] : []),
      `waiting for a CPU: ${both(runQueue)}`,
    ].join('; '),
  ];
}

function targetsOf({ knobs }: AgentStatus): ReadonlyMap<string, bigint> {
  return new Map(knobs.flatMap(({ id, target }) => (target === null ? [] : [[id, BigInt(target)] as const])));
}

/** Five lines. @param tuned the targets of the knobs that were changed, by their ids. */
export function describeWaits(agent: AgentStatus, tuned: ReadonlyMap<string, bigint> = targetsOf(agent)): string[] {
  const { waits, pid } = agent;
  if (!waits || waits.wakeups === 0) return [];
  const { seconds, wakeups, timers, runQueue } = waits;
  const rate = seconds > 0 ? `, ${number(wakeups / seconds)} times a second` : '';
  return [
    `${printable(agent.name, MOST_OF_A_NAME)} (${pid}) was woken ${number(wakeups)} times in ${roughly(seconds)}${rate}`,
    `  ${describeTimers(timers)}`,
    `  then ${halfAnd99(runQueue, 'of its wakeups had a CPU')}; it waited ${roughly(runQueue.seconds)} in all threads together`,
    `  ${describeTuned(timers, tuned)}`,
    `  ${advice(agent, tuned)}`,
  ];
}

function describeTimers(timers: TimerWaits | null): string {
  if (!timers) return 'how late its timers fired can not be measured here';
  const { lateness } = timers;
  if (lateness.count === 0) return 'no timer woke it, so timer slack is nothing to it';
  return `of its ${number(lateness.count)} timers ${halfAnd99(lateness, 'fired')} of the time that it had asked for`;
}

function halfAnd99({ p50, p99 }: Delay, what: string): string {
  return `half ${what} within ${roughly(p50 ?? 0)}, 99% within ${roughly(p99 ?? 0)}`;
}

function describeTuned(timers: TimerWaits | null, tuned: ReadonlyMap<string, bigint>): string {
  if (tuned.size === 0) return 'nothing of it was changed';
  const each = KNOBS.filter(({ id }) => tuned.has(id)).map(
    (knob) => `${knob.title} ${knob.format(tuned.get(knob.id) ?? 0n)}`,
  );
  const [before, since] = [timers?.reachable.found.p50 ?? null, timers?.reachable.tuned.p50 ?? null];
  const difference =
    before !== null && since !== null
      ? `: half of the timers that slack delays fired within ${roughly(before)} before, ${roughly(since)} since`
      : '';
  return `taut changed its ${each.join(' and ')}${difference}`;
}

function advice({ waits }: AgentStatus, tuned: ReadonlyMap<string, bigint>): string {
  if ((waits?.wakeups ?? 0) < ENOUGH) return 'these are too few to say what would help';
  const queue = waits?.runQueue.p99 ?? 0;
  const slack = waits?.timers?.reachable.found;
  const left = (eases: Knob['eases']) =>
    KNOBS.filter((knob) => knob.eases === eases && !tuned.has(knob.id) && knob.support().ok);
  const options = (knobs: readonly Knob[]) => knobs.map(({ option }) => `--${option}`).join(' and ');
  const [ofQueue, ofTimers] = [left('run queue'), left('timers')];
  const helps = [
    ...(queue > LONG_QUEUE && ofQueue.length > 0 ? [`${options(ofQueue)}: other programs kept it from a CPU`] : []),
    ...((slack?.p50 ?? 0) > LONG_SLACK && ofTimers.length > 0
      ? [
          `${options(ofTimers)}: ${number(slack?.count ?? 0)} of its timers would fire up to ${roughly(slack?.p50 ?? 0)} sooner`,
        ]
      : []),
  ];
  if (helps.length > 0) return `what would help: ${helps.join('; ')}`;
  return queue > LONG_QUEUE
    ? 'taut has nothing more that would help'
    : 'there is nothing to mend: it was woken in time';
}

function number(value: number): string {
  return (value < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en-US');
}
