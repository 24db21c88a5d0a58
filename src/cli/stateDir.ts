/** The directory of the ledger, the socket and the telemetry files: its default, and which values are allowed. */
import { lstatSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export function socketPath(stateDir: string): string {
  return join(stateDir, 'taut.sock');
}

/** /var/lib/taut for root; $XDG_STATE_HOME/taut, or its default, for others. */
export function defaultStateDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.getuid?.() === 0) return '/var/lib/taut';
  const given = env['XDG_STATE_HOME'];
  // The XDG specification says to ignore an empty or relative path.
  return join(given?.startsWith('/') ? given : join(home(env), '.local/state'), 'taut');
}

/** "/" for a user who has none: neither HOME nor an entry in the table of users, as in a container or an empty environment. */
function home(env: NodeJS.ProcessEnv): string {
  try {
    const path = env['HOME'] ?? homedir();
    return path.startsWith('/') ? path : '/';
  } catch {
    return '/';
  }
}

/** Bytes of `sun_path` in sockaddr_un, without the NUL at its end. */
const MAX_SOCKET_PATH = 107;

/** Why a directory can't hold taut's state, and what to do; undefined when the path shows no problem. */
export function stateDirProblem(text: string): string | undefined {
  if (text.trim() === '') return `it is empty: name a directory, or leave it out for ${defaultStateDir()}`;
  if (text.startsWith('~')) {
    const meant = /^~(?=\/|$)/.test(text) ? text.replace('~', home(process.env)) : 'the path of that home directory';
    return `the shell has not replaced "~": write ${meant}`;
  }
  const variable = /^\$(\w+|\{[^}]*\})/.exec(text)?.[0];
  if (variable) return `nobody has replaced ${variable}: write what it stands for`;
  const path = resolve(text);
  const long = Buffer.byteLength(socketPath(path)) - MAX_SOCKET_PATH;
  if (long > 0)
    return `it is ${long} bytes too long: ${socketPath(path)} is a Unix socket, whose path has ${MAX_SOCKET_PATH} bytes at most; use a shorter one`;
  return notADirectory(path);
}

function notADirectory(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : `${path} is a file: name a directory`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') return `${path} is a link that leads to itself: name a directory`;
    if (code === 'ENOTDIR') return notADirectory(dirname(path));
    if (code !== 'ENOENT') return undefined;
    // taut will make the directory, but not through a broken link.
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
    return isLink ? `${path} is a link to what is not there: make that directory, or name another` : undefined;
  }
}
