/** The fixture that most suites start: a process that sleeps until it is told something (fixtures/sleeper.py). */
import { join } from 'node:path';
import { Program } from './program.ts';
import { FIXTURES, type Sandbox } from './taut.ts';

/** Starts one and waits until it listens. With a sandbox it is an agent there, without one it is nobody's. */
export async function sleeper(sandbox?: Sandbox, ...args: readonly string[]): Promise<Program> {
  const mark = sandbox ? [sandbox.mark] : [];
  const program = new Program('python3', [join(FIXTURES, 'sleeper.py'), ...mark, ...args]);
  await program.line(/^ready/);
  return program;
}
