/** The gate that the options of a command ask for. */
import { KNOBS } from '../actuator/knobs.ts';
import { createGate } from '../gate/createGate.ts';
import type { Gate } from '../gate/gate.ts';
import type { Log } from '../util/log.ts';
import { CliError, EXIT } from './exit.ts';
import { asked, type TuneOptions } from './given.ts';

/** Where no option says otherwise; milliseconds. */
const POLL_MS = 5_000;
const LAST_KNOWN_MS = 600_000;

/** @throws CliError when the flag file can't be understood, or the provider's module can't be used. */
export async function openGate(options: TuneOptions, log: Log): Promise<Gate> {
  const { flags, flagProvider: module, flagProviderOptions, flagPoll, flagLastKnown } = options;
  const { targets, why, leftOut } = asked(options);
  for (const sentence of leftOut) log.info(sentence);
  const common = { targets, why, knobs: KNOBS, onProblem: (message: string) => log.warn(message) };
  try {
    if (module === undefined)
      return await createGate({
        ...common,
        ...(flags === undefined ? {} : { flagsFile: flags, lastKnownMs: flagLastKnown ?? LAST_KNOWN_MS }),
      });
    const { loadProvider } = await import('../gate/loadProvider.ts');
    const provider = await loadProvider({ module, options: flagProviderOptions, from: process.cwd() });
    const service = {
      pollMs: flagPoll ?? POLL_MS,
      lastKnownMs: flagLastKnown ?? LAST_KNOWN_MS,
    };
    return await createGate({ ...common, provider, service });
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.usage);
  }
}
