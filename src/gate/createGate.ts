import { FlagFile } from './flagFile.ts';
import { flagGate } from './flagGate.ts';
import type { Gate, Targets } from './gate.ts';
import { staticGate } from './staticGate.ts';

export interface GateOptions {
  /** What the command line asks for. */
  readonly targets?: Targets;
  /** `--flags`: then the flag decides whether, and the command line what `true` means. */
  readonly flagsFile?: string;
  readonly onProblem: (message: string) => void;
}

/** @throws Error when the flag file can't be understood. */
export async function createGate({ targets = new Map(), flagsFile, onProblem }: GateOptions): Promise<Gate> {
  if (flagsFile === undefined) return staticGate(targets);
  return flagGate(new FlagFile(flagsFile, onProblem), targets);
}
