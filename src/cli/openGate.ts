/** The gate that the options of a command ask for. */
import { dirname, resolve } from 'node:path';
import { KNOBS } from '../actuator/knobs.ts';
import { DEFAULTS } from '../config/defaults.ts';
import { createGate } from '../gate/createGate.ts';
import type { Gate } from '../gate/gate.ts';
import type { Log } from '../util/log.ts';
import { CliError, EXIT } from './exit.ts';
import { asked, type TuneOptions } from './given.ts';
import { leaveInputAlone } from './standardStreams.ts';

/** @throws CliError when the flag file can't be understood, or the provider's module can't be used. */
export async function openGate(options: TuneOptions, log: Log): Promise<Gate> {
  const { flags, flagProvider: module, flagPoll, flagLastKnown } = options;
  const { targets, why, configured, leftOut } = asked(options);
  for (const sentence of leftOut) log.info(sentence);
  const naming = {
    prefix: options.flagPrefix ?? DEFAULTS.flagPrefix,
    targetingKey: options.flagTargetingKey ?? DEFAULTS.flagTargetingKey,
  };
  const common = { targets, why, configured, naming, knobs: KNOBS, onProblem: (message: string) => log.warn(message) };
  try {
    if (module === undefined && options.provider === undefined)
      return await createGate({
        ...common,
        ...(flags === undefined ? {} : { flagsFile: flags, lastKnownMs: flagLastKnown ?? DEFAULTS.flagLastKnown }),
      });
    const provider = options.provider ?? (await load(options));
    const service = {
      pollMs: flagPoll ?? DEFAULTS.flagPoll,
      lastKnownMs: flagLastKnown ?? DEFAULTS.flagLastKnown,
    };
    return await createGate({ ...common, provider, service });
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.usage);
  }
}

/** The provider of the module that is named. */
async function load({ flagProvider: module = '', flagProviderOptions, config, origins }: TuneOptions) {
  const { loadProvider } = await import('../gate/loadProvider.ts');
  await leaveInputAlone();
  const isFiles = config !== undefined && origins?.get('flagProvider')?.source === 'file';
  return loadProvider({
    module,
    options: flagProviderOptions,
    from: isFiles ? dirname(resolve(config)) : process.cwd(),
  });
}
