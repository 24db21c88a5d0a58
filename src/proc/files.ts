import { addon, type Errno, type Outcome } from '../native.ts';

/**
 * How taut reads and writes what /proc shows of a process or thread: below a directory that is held open, by its
 * descriptor. A failure is returned as `-errno`. The addon's calls fit; a test may make up a host.
 */
export interface ProcFiles {
  /** @returns a descriptor of the directory `path`, which is absolute, or relative to `at` if that is not -1. */
  openDirectory(at: number, path: string): number | Errno;
  readAt(at: number, name: string, limit: number): Buffer | Errno;
  readTextAt(at: number, name: string, limit: number): string | Errno;
  listIdsAt(at: number, name: string): number[] | Errno;
  readLinkAt(at: number, name: string): string | Errno;
  writeAt(at: number, name: string, text: string): Outcome;
  close(descriptor: number): Outcome;
}

/** The files of this host. */
export function hostFiles(): ProcFiles {
  return addon();
}
