/**
 * Of the tauts that tune a host only one can at a time: it locks a file. Each file of tests has that lock for itself, so
 * that two of them, and another copy of taut, can run side by side.
 */
import { expect } from 'vitest';

const { testPath } = expect.getState();
if (testPath === undefined) throw new Error('which file of tests is this?');
process.env['TAUT_HOST_LOCK'] = testPath;
