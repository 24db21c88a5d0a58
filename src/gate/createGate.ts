import type { Provider } from '@openfeature/server-sdk';
import { DEFAULTS } from '../config/defaults.ts';
import type { FlagOptions } from './flagGate.ts';
import type { Gate, GatedKnob, Targets } from './gate.ts';
import type { ProviderOptions } from './providerGate.ts';
import { RuledGate } from './ruledGate.ts';
import { staticGate } from './staticGate.ts';

export interface GateOptions {
  /** The targets that the command line asks for. */
  readonly targets?: Targets;
  /** The words that ask for them, by the knob's id, where they are not the knob's own option. */
  readonly why?: ReadonlyMap<string, string>;
  /** The ids of the knobs on which a configuration decided. */
  readonly configured?: ReadonlySet<string>;
  /** The file of `--flags`: the flag decides whether to tune, and the command line gives the value of `true`. */
  readonly flagsFile?: string;
  /** A provider of OpenFeature that decides, instead of a file. It belongs to the gate, which closes it. */
  readonly provider?: Provider;
  /** The provider is a service's, which may be down: it shuts the gate then, and the start does not wait for it. */
  readonly service?: Pick<ProviderOptions, 'pollMs' | 'lastKnownMs'>;
  /** How the flags are called, and what their percentages are drawn by. */
  readonly naming?: FlagOptions;
  /** For how long, in milliseconds, an agent keeps what was decided last while the flag file can't be read. Default: ten minutes. */
  readonly lastKnownMs?: number;
  /** Knobs whose flags are checked in the flag file. */
  readonly knobs?: readonly GatedKnob[];
  readonly onProblem: (message: string) => void;
}

/** @throws Error when the flag file can't be understood, or the provider can't start. */
export async function createGate(options: GateOptions): Promise<Gate> {
  return new RuledGate(await unruled(options));
}

async function unruled({
  targets = new Map(),
  why,
  configured,
  flagsFile,
  provider,
  service,
  naming = {},
  lastKnownMs = DEFAULTS.flagLastKnown,
  knobs,
  onProblem,
}: GateOptions): Promise<Gate> {
  // OpenFeature is loaded where there are flags: most have none.
  const damped = async (gate: Gate) => (await import('./dampedGate.ts')).dampedGate(gate, onProblem);
  if (provider && service) {
    const { providerGate } = await import('./providerGate.ts');
    return damped(await providerGate(provider, targets, { ...service, ...naming, onProblem }));
  }
  if (provider) return (await import('./flagGate.ts')).flagGate(provider, targets, naming);
  if (flagsFile === undefined) return staticGate(targets, why, configured);
  const [{ fileGate }, { FlagFile }] = await Promise.all([import('./fileGate.ts'), import('./flagFile.ts')]);
  return damped(await fileGate(new FlagFile(flagsFile, onProblem, knobs, naming.prefix), targets, lastKnownMs, naming));
}
