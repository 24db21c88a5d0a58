import { addon, type NativeFiles } from '../native.ts';

/** How taut reads and writes what /proc shows of a process or thread. The addon's calls fit; a test may make up a host. */
export interface ProcFiles extends NativeFiles {
  /** A made-up host's own time, as `nowTicks` of `clock.ts`. */
  nowTicks?(): number;
}

/** The files of this host. */
export function hostFiles(): ProcFiles {
  return addon();
}
