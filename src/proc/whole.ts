/** Whether this machine's /proc shows what taut reads there. */
import { existsSync } from 'node:fs';

export interface ProcLack {
  readonly why: string;
  readonly mend: string;
}

/** Beside the processes: `subset=pid` hides them. */
const OF_THE_HOST = ['/proc/stat', '/proc/uptime', '/proc/sys/kernel/random/boot_id'];

/** Undefined where nothing is missing. */
export function procLack(): ProcLack | undefined {
  if (!existsSync('/proc/self/status'))
    return { why: 'no /proc is mounted here, which shows the processes', mend: 'mount it: mount -t proc proc /proc' };
  if (OF_THE_HOST.every((path) => existsSync(path))) return undefined;
  const why = 'this /proc shows nothing but processes (it is mounted with subset=pid)';
  return { why, mend: 'mount a whole one, or set ProcSubset=all in the systemd unit' };
}
