import { addon, type NativeFiles } from '../native.ts';

/** How taut reads and writes what /proc shows of a process or thread. The addon's calls fit; a test may make up a host. */
export type ProcFiles = NativeFiles;

/** The files of this host. */
export function hostFiles(): ProcFiles {
  return addon();
}
