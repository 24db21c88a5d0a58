import { DESCRIPTORS_REMEDY, descriptorProblem } from '../proc/descriptors.ts';
import { CliError, EXIT } from './exit.ts';

/** @throws CliError when too few files may be open to measure and to tune. */
export function requireOpenFiles(): void {
  const problem = descriptorProblem();
  if (problem !== undefined) throw new CliError(`${problem}: ${DESCRIPTORS_REMEDY}`, EXIT.host);
}
