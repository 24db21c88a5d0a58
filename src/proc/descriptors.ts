/**
 * How many files this process may have open, and how many of them are for what. Whoever starts many agents, or asks very
 * often, must not take those that taut needs to record, to put back and to answer.
 */
import { readFileSync } from 'node:fs';

/** For taut itself: BPF programs and maps, the record, telemetry, what is opened for a moment. It uses about 90. */
const OWN = 160;
/** With fewer, taut neither measures nor tunes. */
const LEAST = 256;
const MOST_CLIENTS = 1_024;
const MOST_AGENTS = 8_192;

export interface DescriptorShares {
  /** Most clients of the control socket at a time. */
  readonly clients: number;
  /** Most agents at a time: the directory of each in /proc is open as long as it is one. */
  readonly agents: number;
}

/** @param limit how many files may be open. */
export function descriptorShares(limit = descriptorLimit()): DescriptorShares {
  const others = Math.max(0, limit - OWN);
  const clients = Math.min(MOST_CLIENTS, Math.floor(others / 4));
  return { clients, agents: Math.min(MOST_AGENTS, others - clients) };
}

/** The soft limit of open files. Node has raised it to the hard one when it started. */
export function descriptorLimit(): number {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

export const DESCRIPTORS_REMEDY =
  'raise the hard limit (ulimit -Hn 4096 as root, LimitNOFILE=4096 in a systemd unit, --ulimit nofile=4096 of a container)';

/** Why this process can't have enough files open to measure and to tune; undefined when it can. */
export function descriptorProblem(limit = descriptorLimit()): string | undefined {
  if (limit >= LEAST) return undefined;
  return `the limit of open files is ${limit}, and taut needs ${LEAST} to measure and to tune`;
}
