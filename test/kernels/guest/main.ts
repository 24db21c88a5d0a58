/** In the guest: looks at what taut makes of this kernel, and writes it into the file that the first argument names. */
import { appendFileSync, readFileSync } from 'node:fs';
import { observeNames } from './names.ts';
import type { Observations } from './observations.ts';
import { observeDoctor, observeTuning } from './program.ts';
import { observeBirths, observeClockSet, observeDeaths, observeWaits } from './tracer.ts';

const [, , report = ''] = process.argv;
const say = (name: string, what: unknown) => appendFileSync(report, `${JSON.stringify([name, what])}\n`);

const observers: { [Name in keyof Observations]: () => Promise<Observations[Name]> } = {
  kernel: async () => readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim(),
  doctor: observeDoctor,
  tuning: observeTuning,
  names: observeNames,
  waits: observeWaits,
  clockSet: observeClockSet,
  births: observeBirths,
  deaths: observeDeaths,
};

for (const [name, observe] of Object.entries(observers))
  try {
    say(name, await observe());
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${name}: ${(error as Error).stack}\n`);
    say(`${name} failed`, String(error));
  }
