/** What this user may see of a state directory. A file that this user may not see can still exist. */
import { closeSync, openSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Ledger } from '../actuator/ledger.ts';
import { ledgerPath } from '../actuator/ledgerFile.ts';
import { CliError, EXIT } from './exit.ts';

/** Whether a call failed because a permission is missing. */
export function isDenied(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM';
}

/** Says what this user can't know, and which user can. */
export class NoAccess extends CliError {
  constructor(path: string, what: string) {
    super(`${describeUser()} may not look into ${path}, so ${what} can't be known; ${whoMay(path)}`, EXIT.host);
    this.name = 'NoAccess';
  }
}

export function describeUser(): string {
  const uid = process.geteuid?.() ?? -1;
  try {
    return `user ${userInfo().username} (${uid})`;
  } catch {
    return `user ${uid}`; // the user has no name
  }
}

function whoMay(path: string): string {
  // A user namespace's root, or one without its capabilities. Whose the files are can't be told there either.
  if (process.geteuid?.() === 0) return 'ask as root of the host, with all its capabilities';
  try {
    const { uid } = statSync(path);
    return uid === 0 ? 'ask as root' : `ask as user ${uid}, whose it is, or as root`;
  } catch {
    return 'ask as root';
  }
}

/**
 * Opens the ledger to read it and to put back what is in it. @returns undefined when there is no ledger.
 * @throws NoAccess when this user may not read it, LedgerError when it can't be used.
 */
export function openLedger(stateDir: string): Ledger | undefined {
  const path = ledgerPath(stateDir);
  const denied = () => new NoAccess(path, 'what it holds');
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  } catch (error) {
    if (isDenied(error)) throw denied();
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    return Ledger.forRestoring(stateDir);
  } catch (error) {
    // SQLite says only that it could not open the file, not why.
    if (isUnreadable(path)) throw denied();
    throw error;
  }
}

function isUnreadable(path: string): boolean {
  try {
    closeSync(openSync(path, 'r+'));
    return false;
  } catch (error) {
    return isDenied(error);
  }
}
