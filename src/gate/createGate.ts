import { FlagFile } from './flagFile.ts';
import { flagGate } from './flagGate.ts';
import type { Gate } from './gate.ts';
import { staticGate } from './staticGate.ts';

export interface GateOptions {
  /** `--optimize-timer-slack`: undefined when it was not given. Nanoseconds. */
  readonly cliValue?: bigint;
  /** `--flags`: then the flag decides whether, and the command line what `true` means. */
  readonly flagsFile?: string;
  readonly onProblem: (message: string) => void;
}

/** @throws Error when the flag file can't be understood. */
export async function createGate({ cliValue, flagsFile, onProblem }: GateOptions): Promise<Gate> {
  if (flagsFile === undefined) return staticGate(cliValue);
  return flagGate(new FlagFile(flagsFile, onProblem), cliValue);
}
