#!/usr/bin/env node
import { leaveStreamsAlone } from './standardStreams.ts';

const [, , name = '', ...args] = process.argv;
await leaveStreamsAlone();
// Before anything else is loaded, as it begins anew. Not for `run`, whose command keeps what it was given.
if (['watch', 'attach'].includes(name)) (await import('./capabilities.ts')).confineSelf();
// Likewise, as its command waits.
const isDone = name === 'run' && (await (await import('./run/atOnce.ts')).runAtOnce(args));
if (!isDone) await (await import('./program.ts')).run(process.argv);
await (await import('./output.ts')).drained();
// All is done and written: a backend that does not answer, with the exporters' retries and sockets, does not keep the
// process.
process.exit();
