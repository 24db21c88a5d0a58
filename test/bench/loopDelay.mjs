/**
 * Loaded into taut by `--import`: appends the time, how long the block of its event loop was in which the thread used most CPU
 * time, and that time, both in ms, to a file, again and again. A block in which it used none is the host's: the thread could run,
 * and did not get a CPU.
 */
import { appendFileSync } from 'node:fs';

const EVERY_MS = 5;
const TOLD_EACH = 50;

const path = process.env['TAUT_BENCH_LOOP'];
if (path) {
  const now = () => ({ ms: performance.now(), cpuMs: sum(process.threadCpuUsage()) / 1_000 });
  const sum = ({ user, system }) => user + system;
  let last = now();
  let longest = { ms: 0, cpuMs: 0 };
  let turns = 0;
  setInterval(() => {
    const at = now();
    const block = { ms: at.ms - last.ms, cpuMs: at.cpuMs - last.cpuMs };
    if (block.cpuMs > longest.cpuMs) longest = block;
    if (++turns % TOLD_EACH === 0) {
      appendFileSync(path, `${Date.now()} ${longest.ms} ${longest.cpuMs}\n`);
      longest = { ms: 0, cpuMs: 0 };
    }
    last = now();
  }, EVERY_MS).unref();
}
