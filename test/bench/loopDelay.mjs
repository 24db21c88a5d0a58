/** Loaded into taut by `--import`: appends the time and the longest block of its event loop, ms, to a file, again and again. */
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const path = process.env['TAUT_BENCH_LOOP'];
if (path) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  setInterval(() => {
    appendFileSync(path, `${Date.now()} ${delay.max / 1e6}\n`);
    delay.reset();
  }, 250).unref();
}
