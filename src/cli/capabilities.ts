/** The capabilities that taut uses, the use of each, and how taut gives up the others. */
import { readFileSync } from 'node:fs';
import { TITLES } from '../actuator/knobNames.ts';
import { addon, check } from '../native.ts';
import { effectiveCapabilitiesOf } from '../proc/status.ts';
import { procLack } from '../proc/whole.ts';

/** Bits of capabilities(7), each with the use that taut has for it. */
export const CAPABILITIES = {
  CAP_SYS_NICE: { bit: 23, use: `read and write other processes' ${TITLES}` },
  CAP_BPF: { bit: 39, use: 'load BPF programs and read their maps' },
  CAP_PERFMON: { bit: 38, use: 'attach BPF programs to tracepoints' },
  CAP_NET_ADMIN: { bit: 12, use: 'see which process asks which name, and connects to whom' },
  CAP_SYS_PTRACE: { bit: 19, use: "read other users' executables" },
  CAP_DAC_READ_SEARCH: { bit: 2, use: 'read rules and flags that belong to others' },
  CAP_DAC_OVERRIDE: { bit: 1, use: "write to a state directory that is root's" },
  CAP_SYS_ADMIN: {
    bit: 21,
    use: 'have the kernel account what the BPF programs cost; look into other network namespaces',
  },
} as const;

export type Capability = keyof typeof CAPABILITIES;

const KEEP = Object.values(CAPABILITIES).reduce((mask, { bit }) => mask | (1n << BigInt(bit)), 0n);

function effective(): bigint {
  return effectiveCapabilitiesOf(readFileSync('/proc/self/status', 'latin1'));
}

export function hasCapability(name: Capability): boolean {
  return ((effective() >> BigInt(CAPABILITIES[name].bit)) & 1n) === 1n;
}

/**
 * Gives up, for good, the capabilities that root has and taut does not use; the process then executes itself again.
 * Capabilities belong to a thread, and only execve ends Node's other threads, which still hold the old ones. A user
 * other than root keeps its capabilities: execve might take away what it was given.
 */
export function confineSelf(): void {
  if (process.geteuid?.() !== 0 || procLack() || (effective() & ~KEEP) === 0n) return;
  check(addon().confine(KEEP), 'drop capabilities');
  process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
}
