/**
 * Whether a directory and files in it can be trusted: only root and the user that runs taut may have made them or may
 * change them. Root writes to processes what the ledger says, so a stranger's ledger must not be read.
 */
import { lstatSync, readFileSync, realpathSync, type Stats, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_GROUP = 0o020;
/** In such a directory users can remove and rename only their own files. */
const STICKY = 0o1000;

/**
 * Why a directory, or one of the named files in it, can't be trusted, and what to do. Undefined when they can be, or are
 * not there: then nobody else can make them. The directories above are checked, too.
 */
export function distrust(directory: string, ...names: readonly string[]): string | undefined {
  const path = resolve(directory);
  const above = dirname(path) === path ? undefined : distrustAbove(dirname(path));
  if (above !== undefined) return above;
  for (const own of [path, ...names.map((name) => join(path, name))]) {
    const problem = distrustOwn(own);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What taut uses itself: it is no link, and nobody else may write there. */
function distrustOwn(path: string): string | undefined {
  const stat = look(path);
  if (!stat) return undefined;
  if (stat.isSymbolicLink())
    return `${path} is a link, which taut does not follow: name what it leads to, or remove it`;
  if (!stat.isFile() && !stat.isDirectory() && !stat.isSocket())
    return `${path} is a pipe or a device, on which taut could wait for ever: remove it`;
  return strangersOwn(path, stat) ?? writable(path, (stat.mode & WRITABLE_BY_OTHERS) !== 0) ?? served(path, stat);
}

/** A directory further up: nobody else can remove, rename or replace what lies in it. */
function distrustAbove(path: string): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : distrustAbove(parent);
  const stat = above === undefined ? look(path) : undefined;
  if (!stat) return above;
  const owner = strangersOwn(path, stat);
  if (owner !== undefined) return owner;
  if (stat.isSymbolicLink()) return distrustTarget(path);
  // Some distributions let a user's own group, which has no other member, write to the directories of a home. Root has no such
  // group, and the bits of a group are also where an access control list shows that it lets somebody else write.
  const isOwnGroup = process.geteuid?.() !== 0 && stat.gid === process.getegid?.();
  const others = isOwnGroup ? WRITABLE_BY_OTHERS & ~WRITABLE_BY_GROUP : WRITABLE_BY_OTHERS;
  return writable(path, (stat.mode & others) !== 0 && (stat.mode & STICKY) === 0) ?? served(path, stat);
}

function distrustTarget(link: string): string | undefined {
  let target: string;
  try {
    target = realpathSync(link);
  } catch {
    return undefined; // it leads nowhere, so nothing can be opened below it
  }
  return distrustAbove(target);
}

function strangersOwn(path: string, { uid }: Stats): string | undefined {
  if (uid === 0 || uid === process.geteuid?.()) return undefined;
  return `${path} belongs to user ${uid}, who can change what taut keeps there: run taut as that user, or chown it`;
}

/** FUSE_SUPER_MAGIC. */
const FUSE = 0x65735546;

/** A file system that a user serves says of its files what that user likes: also that they are root's, and closed to others. */
function served(path: string, { dev }: Stats): string | undefined {
  if (fileSystemOf(path) !== FUSE) return undefined;
  const device = `${(dev >>> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[2] === device);
  const uid = /\buser_id=(\d+)/.exec(mount ?? '')?.[1];
  // virtiofs, which the hypervisor serves, names nobody.
  if (uid === undefined || Number(uid) === 0 || Number(uid) === process.geteuid?.()) return undefined;
  return `${path} is in a file system that user ${uid} serves, who can change what taut keeps there: use another place`;
}

/** Undefined when it is not there any more: SQLite removes its log when the last one closes the ledger. */
function fileSystemOf(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}

function writable(path: string, byOthers: boolean): string | undefined {
  return byOthers ? `other users can write to ${path}: chmod go-w ${path}` : undefined;
}

/** Undefined when nothing is there, or this user can't see it, and so can't open it either. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
