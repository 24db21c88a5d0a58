import type { Errno, Outcome } from './errno.ts';

/** Calls on files below a directory that is held open, by its descriptor. See `native/addon/files.h`. */
export interface NativeFiles {
  /** @returns a descriptor of the directory `path`, which is absolute, or relative to `at` if that is not -1. */
  openDirectory(at: number, path: string): number | Errno;
  readAt(at: number, name: string, limit: number): Buffer | Errno;
  readTextAt(at: number, name: string, limit: number): string | Errno;
  listIdsAt(at: number, name: string): number[] | Errno;
  readLinkAt(at: number, name: string): string | Errno;
  writeAt(at: number, name: string, text: string): Outcome;
  close(descriptor: number): Outcome;
}
