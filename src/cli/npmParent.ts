/**
 * A user who ends `npx taut …` or `npm run …` wants taut to end. npm forwards the signals that it can, but not SIGKILL,
 * and the shell that npm puts in between forwards none. So taut ends when the npm that started it ends.
 */
import { isGone, ProcHandle } from '../proc/handle.ts';

/** npm, pnpm and yarn set it to their own path. Every descendant inherits it, so alone it proves nothing. */
const MARK = 'npm_execpath';
/** Ancestors to look at: npm starts a shell, which starts taut or becomes taut. */
const GENERATIONS = 2;
const POLL_MS = 250;

/** Calls back once when the npm that started taut, or the shell in between, has ended. Does not keep taut alive. */
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

/** False when the answer is unknown, for instance because no descriptor is free: the next poll asks again. */
function hasEnded(handle: ProcHandle): boolean {
  try {
    return handle.hasEnded();
  } catch {
    return false;
  }
}

/** The nearest ancestors up to and including npm; empty when npm is no near ancestor. */
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

/** npm sets its process title (`npm exec taut watch`); pnpm and yarn show as `node …/pnpm.cjs …`. */
function isNpm(cmdline: string, execPath: string): boolean {
  return /^(npm|npx) /.test(cmdline) || cmdline.split('\0').includes(execPath);
}
