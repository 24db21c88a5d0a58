#!/usr/bin/env node
import { leaveStreamsAlone } from './standardStreams.ts';

void main(process.argv);

async function main([, , name = '', ...args]: readonly string[]): Promise<void> {
  leaveStreamsAlone();
  // Before anything else is loaded, because the process executes itself again. Not for `run`: its command must keep the
  // capabilities that it was given.
  if (['watch', 'attach'].includes(name)) (await import('./capabilities.ts')).confineSelf();
  // Also before anything else is loaded, because the command waits.
  const isDone = name === 'run' && (await (await import('./run/atOnce.ts')).runAtOnce(args));
  if (!isDone) await (await import('./program.ts')).run(process.argv);
  await (await import('./output.ts')).drained();
  // Everything is done and written. Exit, so that the exporters' retries and sockets do not keep the process alive for a
  // backend that does not answer.
  process.exit();
}
