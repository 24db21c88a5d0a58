/** Whether the kernel's events and /proc name processes by the same ids. */
import { readlinkSync } from 'node:fs';

/** The initial PID namespace, by the kernel's PROC_PID_INIT_INO. */
const INITIAL = 'pid:[4026531836]';

export const FOREIGN_IDS =
  "this PID namespace is not the host's, so the kernel's events have other process ids than /proc has here";
export const FOREIGN_IDS_REMEDY = 'run taut on the host, or in a container with --pid=host';

/**
 * Whether this process is in the host's PID namespace. Elsewhere (a plain container, WSL) the ids that BPF programs report
 * are the host's, and are those of other processes here, or of none.
 */
export function hasHostIds(): boolean {
  return readlinkSync('/proc/self/ns/pid') === INITIAL;
}
