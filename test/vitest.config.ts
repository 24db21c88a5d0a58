import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;

/** Kernel tests count events and read threads of real processes: one file at a time. */
const project = (name: string, options: { testTimeout: number; hookTimeout?: number; parallel: boolean }) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.testTimeout,
    // The tests of each copy of taut have a lock of their own, beside a taut that tunes this host.
    env: { TAUT_HOST_LOCK: import.meta.filename },
    hookTimeout: options.hookTimeout ?? options.testTimeout,
    fileParallelism: options.parallel,
  },
});

export default defineConfig({
  test: {
    maxConcurrency: 3, // of real agents, which start on a few cores
    reporters: ['default', new URL('support/tally.ts', import.meta.url).pathname],
    projects: [
      project('unit', { testTimeout: 30_000, parallel: true }),
      project('kernel', { testTimeout: 120_000, parallel: false }),
      project('endurance', { testTimeout: 1_200_000, parallel: false }),
      project('kernels', { testTimeout: 30_000, hookTimeout: 600_000, parallel: false }),
      project('sanitizers', { testTimeout: 300_000, parallel: false }),
      project('bench', { testTimeout: 1_200_000, parallel: false }),
      project('agents', { testTimeout: 600_000, parallel: false }),
      project('peers', { testTimeout: 300_000, parallel: false }),
      project('backends', { testTimeout: 900_000, parallel: false }),
    ],
  },
});
