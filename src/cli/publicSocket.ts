/**
 * The public part of a daemon's answers, for every user of its host: that the daemon runs, which agents it watches and
 * tunes, and its decision about a process; but no command line, no evidence (which may quote one), and no name that a
 * process asked for.
 *
 * The socket is /run/taut/public/NAME.sock; NAME is made from the path of the state directory. So the state directory,
 * with the ledger, the telemetry and the socket that can restore, stays closed to other users, even below a home
 * directory. Only root (or a service manager, for the daemon's user) can make /run/taut: no other user can pretend to
 * be a daemon.
 */
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { digest } from '../util/digest.ts';
import type { Log } from '../util/log.ts';
import { jsonText } from '../util/printable.ts';
import { askAt, replyTo } from './control.ts';
import { type Bounds, serveLines } from './lineServer.ts';
import type { Request } from './requests.ts';

const PARENT = '/run';
const FOLDERS = ['taut', 'public'];
/** Other users may not list the folder, but may open a file whose name they know. */
const FOLDER_MODE = 0o711;

const BOUNDS: Bounds = { clients: 32, perSecond: 200, bytes: 1_024, held: 16 << 20, ms: 5_000 };
/** A status is made at most once in this time, however many clients ask. */
const STATUS_MS = 1_000;

export type PublicRequest = Extract<Request, { op: 'status' | 'explain' }>;

function socketName(stateDir: string): string {
  let path = resolve(stateDir);
  try {
    path = realpathSync(path);
  } catch {
    // A user who may not look into the parent directories uses the path as it was given.
  }
  return `${digest(path)}.sock`;
}

/**
 * Asks a daemon for what it tells every user. @returns undefined when no daemon runs, or it serves no public socket.
 * @throws Error, CliError
 */
export function askPublicly<T>(stateDir: string, request: PublicRequest): Promise<T | undefined> {
  return askAt<T>(join(PARENT, ...FOLDERS, socketName(stateDir)), request, true);
}

/** Serves every user until it is disposed of. When that is impossible it serves nobody, and watching goes on. */
export async function servePublicly(
  stateDir: string,
  answer: (request: Request) => unknown,
  log: Log,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  try {
    if (hidesProcesses()) throw new Error('/proc hides processes from them (hidepid)');
    const folder = stack.adopt(openFolder(), closeSync);
    const path = `/proc/self/fd/${folder}/${socketName(stateDir)}`;
    const cached = new Cached(STATUS_MS);
    const reply = (line: string) => replyPublicly(line, answer, cached);
    stack.use(await serveLines({ path, mode: 0o666, bounds: BOUNDS, reply, onProblem: (m) => log.warn(m) }));
  } catch (error) {
    log.debug(`telling other users nothing: ${(error as Error).message}`);
  }
  return stack.move();
}

function replyPublicly(
  line: string,
  answer: (request: Request) => unknown,
  cached: Cached,
): string | Promise<string | Buffer> {
  const make = () => replyTo(line, answer);
  switch (publicOp(line)) {
    case 'status':
      return cached.get(make);
    case 'explain':
      return make();
    default:
      return jsonText({ error: 'that is not for everybody: status and explain are' });
  }
}

function publicOp(line: string): PublicRequest['op'] | undefined {
  try {
    const { op } = Object(JSON.parse(line)) as { readonly op?: unknown };
    return op === 'status' || op === 'explain' ? op : undefined;
  } catch {
    return undefined;
  }
}

/** One text for all clients that ask within some time. Clients that read slowly share its bytes too. */
class Cached {
  readonly #forMs: number;
  #text: Promise<Buffer> | undefined;
  #untilMs = 0;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  get(make: () => Promise<string>): Promise<Buffer> {
    const now = performance.now();
    if (this.#text && now < this.#untilMs) return this.#text;
    this.#text = make().then(Buffer.from);
    this.#untilMs = now + this.#forMs;
    return this.#text;
  }
}

/** Opens the folder of public sockets, or makes it. Each step follows no link, and must belong to taut's user. */
function openFolder(): number {
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
  let folder = openSync(PARENT, O_RDONLY | O_DIRECTORY);
  for (const name of FOLDERS) {
    const path = `/proc/self/fd/${folder}/${name}`;
    try {
      makeFolder(path);
      const next = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      closeSync(folder);
      folder = next;
      const { uid, mode } = fstatSync(folder);
      if (uid !== process.geteuid?.()) throw new Error(`${PARENT}/${FOLDERS.join('/')} belongs to user ${uid}`);
      if ((mode & 0o777) !== FOLDER_MODE) fchmodSync(folder, FOLDER_MODE);
    } catch (error) {
      closeSync(folder);
      throw error;
    }
  }
  return folder;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Whether the operator hides processes from other users: then a daemon does not show them either. */
function hidesProcesses(): boolean {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const options = mounts.filter((line) => line.split(' ')[4] === '/proc').map((line) => line.split(' - ')[1] ?? '');
  return options.some((line) => /\bhidepid=(?!0|off)/.test(line));
}
