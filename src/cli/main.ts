#!/usr/bin/env node
import { confineSelf } from './capabilities.ts';

// Before anything else is loaded, as it begins anew. Not for `run`, whose command keeps what it was given.
if (['watch', 'attach'].includes(process.argv[2] ?? '')) confineSelf();

const { run } = await import('./program.ts');
const { drained } = await import('./output.ts');
await run(process.argv);
await drained();
// All is done and written: a backend that does not answer, with the exporters' retries and sockets, does not keep the
// process.
process.exit();
