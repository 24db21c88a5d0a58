import { FlagFile } from './flagFile.ts';
import { flagGate } from './flagGate.ts';
import type { Gate, GatedKnob, Targets } from './gate.ts';
import { staticGate } from './staticGate.ts';

export interface GateOptions {
  /** The targets that the command line asks for. */
  readonly targets?: Targets;
  /** The file of `--flags`: the flag decides whether to tune, and the command line gives the value of `true`. */
  readonly flagsFile?: string;
  /** Knobs whose flags are checked in the flag file. */
  readonly knobs?: readonly GatedKnob[];
  readonly onProblem: (message: string) => void;
}

/** @throws Error when the flag file can't be understood. */
export async function createGate({ targets = new Map(), flagsFile, knobs, onProblem }: GateOptions): Promise<Gate> {
  if (flagsFile === undefined) return staticGate(targets);
  return flagGate(new FlagFile(flagsFile, onProblem, knobs), targets);
}
