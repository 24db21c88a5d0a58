import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;

interface Options {
  readonly testTimeout: number;
  readonly hookTimeout?: number;
  /** How many files run side by side. Default: one. */
  readonly workers?: number;
}

let order = 0;

/** A folder of tests. The folders are run one after the other, in the order in which they are named here. */
const project = (name: string, { testTimeout, hookTimeout = testTimeout, workers = 1 }: Options) => ({
  test: {
    name,
    root,
    include: [`test/${name}/**/*.test.ts`],
    setupFiles: [new URL('support/ownLock.ts', import.meta.url).pathname],
    testTimeout,
    hookTimeout,
    maxWorkers: workers,
    sequence: { groupOrder: order++ },
  },
});

export default defineConfig({
  test: {
    maxConcurrency: 3, // of real agents, which start on a few cores
    reporters: ['default', new URL('support/tally.ts', import.meta.url).pathname],
    projects: [
      project('unit', { testTimeout: 30_000, workers: 2 }),
      // Real processes: their tests wait more than they compute.
      project('kernel', { testTimeout: 120_000, workers: 2 }),
      // What they see or change is the whole host's: names that anybody looks up, process ids, floods.
      project('host', { testTimeout: 120_000 }),
      project('endurance', { testTimeout: 1_200_000, workers: 2 }),
      project('kernels', { testTimeout: 30_000, hookTimeout: 600_000 }),
      project('sanitizers', { testTimeout: 300_000 }),
      project('bench', { testTimeout: 1_200_000 }),
      project('agents', { testTimeout: 600_000 }),
      project('plugins', { testTimeout: 300_000, hookTimeout: 900_000 }),
      project('peers', { testTimeout: 300_000 }),
      project('backends', { testTimeout: 900_000 }),
    ],
  },
});
