import { FlagFile } from './flagFile.ts';
import { flagGate } from './flagGate.ts';
import type { Gate, GatedKnob, Targets } from './gate.ts';
import { staticGate } from './staticGate.ts';

export interface GateOptions {
  /** What the command line asks for. */
  readonly targets?: Targets;
  /** `--flags`: then the flag decides whether, and the command line what `true` means. */
  readonly flagsFile?: string;
  /** What the flag file may be about: what it says of them is checked. */
  readonly knobs?: readonly GatedKnob[];
  readonly onProblem: (message: string) => void;
}

/** @throws Error when the flag file can't be understood. */
export async function createGate({ targets = new Map(), flagsFile, knobs, onProblem }: GateOptions): Promise<Gate> {
  if (flagsFile === undefined) return staticGate(targets);
  return flagGate(new FlagFile(flagsFile, onProblem, knobs), targets);
}
