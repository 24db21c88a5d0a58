/**
 * Whoever ends `npx taut …` or `npm run …` means taut. npm hands on the signals that it can, but it can't hand on SIGKILL,
 * and the shell that it puts in between hands on none. So taut ends with the npm that started it.
 */
import { isGone, ProcHandle } from '../proc/handle.ts';

/** npm, pnpm and yarn name themselves by it to what they start. All below inherits it, so it is no proof alone. */
const MARK = 'npm_execpath';
/** npm starts a shell, which starts taut or becomes it. */
const GENERATIONS = 2;
const POLL_MS = 250;

/** Calls back once when the npm that started taut, or the shell in between, has ended. Keeps nothing alive. */
export function onNpmEnd(callback: () => void, env: NodeJS.ProcessEnv = process.env): void {
  const execPath = env[MARK];
  const line = execPath === undefined ? [] : upToNpm(execPath);
  if (line.length === 0) return;
  const timer = setInterval(() => {
    if (!line.some(hasEnded)) return;
    clearInterval(timer);
    for (const handle of line) handle[Symbol.dispose]();
    callback();
  }, POLL_MS).unref();
}

/** Not while that can't be told, as for want of descriptors: it is asked again. */
function hasEnded(handle: ProcHandle): boolean {
  try {
    return handle.hasEnded();
  } catch {
    return false;
  }
}

/** The nearest ancestors up to npm, npm included; none where taut was not started by it but somewhere below. */
function upToNpm(execPath: string): ProcHandle[] {
  using line = new DisposableStack();
  const handles: ProcHandle[] = [];
  try {
    for (let pid = process.ppid; pid > 1 && handles.length < GENERATIONS; ) {
      const handle = line.use(new ProcHandle(pid));
      handles.push(handle);
      if (isNpm(handle.read('cmdline').toString('latin1'), execPath)) {
        line.move();
        return handles;
      }
      pid = handle.stat().ppid;
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  return [];
}

/** npm's title is its command line (`npm exec taut watch`); others are `node …/pnpm.cjs …`. */
function isNpm(cmdline: string, execPath: string): boolean {
  return /^(npm|npx) /.test(cmdline) || cmdline.split('\0').includes(execPath);
}
