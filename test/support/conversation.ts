/** Sends commands to a fixture, and reads its answers. */
import { type Program, until } from './program.ts';

/** Sends a command to a fixture and waits until the fixture has done it. */
export async function tell(program: Program, words: string): Promise<void> {
  const done = () => program.lines.filter((line) => line === 'done').length;
  const before = done();
  program.say(words);
  await until(`"${words}" is done`, () => done() > before);
}

/** Sends a command to a fixture. @returns its next line. */
export function ask(program: Program, words: string): Promise<string> {
  const before = program.lines.length;
  program.say(words);
  return program.lineAfter(before);
}
