#!/usr/bin/env node
import { leaveStreamsAlone } from './standardStreams.ts';

const [, , name = '', ...args] = process.argv;
await leaveStreamsAlone();
// Before anything else is loaded, as it begins anew. Not for `run`, whose command keeps what it was given.
if (['watch', 'attach'].includes(name)) (await import('./capabilities.ts')).confineSelf();
// Likewise, as its command waits.
if (name === 'run') (await import('./run/atOnce.ts')).startAtOnce(args);

const { run } = await import('./program.ts');
const { drained } = await import('./output.ts');
await run(process.argv);
await drained();
// All is done and written: a backend that does not answer, with the exporters' retries and sockets, does not keep the
// process.
process.exit();
