/** What a flag is told of the agent about which it is asked: its targeting goes by that. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { EvaluationContext } from '@openfeature/server-sdk';
import type { TargetingKey } from '../config/flagNames.ts';
import type { GateQuestion } from './gate.ts';

/** The variables of an agent that targeting can use. A variable that is not known is not there. */
export const CONTEXT = [
  ...['agent', 'rule', 'executable', 'user', 'container', 'podUid', 'pid', 'created'],
  ...['host', 'hostId', 'targetingKey'],
] as const;

export interface Host {
  readonly name: string;
  /** Stays when the host is renamed; undefined where it has none. */
  readonly id: string | undefined;
}

export function thisHost(): Host {
  return { name: hostname(), id: machineId() };
}

function machineId(): string | undefined {
  try {
    const text = readFileSync('/etc/machine-id', 'latin1').trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

export function contextOf(question: GateQuestion, host: Host, by: TargetingKey): EvaluationContext {
  const { pid, name, ruleId } = question;
  const { startTicks, ...about } = question.about?.() ?? {};
  const known = Object.entries({ ...about, hostId: host.id }).filter(([, value]) => value !== undefined);
  return {
    targetingKey: targetingKey(by, host.id ?? host.name, { pid, name, startTicks, user: about.user }),
    ...{ agent: name, rule: ruleId, pid, host: host.name },
    ...Object.fromEntries(known),
  };
}

interface Keyed {
  readonly pid: number;
  readonly name: string;
  readonly startTicks: number | undefined;
  readonly user: string | undefined;
}

/** The same for the same, whenever taut is started again. */
function targetingKey(by: TargetingKey, host: string, { pid, name, startTicks, user }: Keyed): string {
  if (by === 'host') return host;
  if (by === 'agent') return `${host}/${name}`;
  if (by === 'user' && user !== undefined) return user;
  return startTicks === undefined ? `${host}/${pid}` : `${host}/${pid}/${startTicks}`;
}
