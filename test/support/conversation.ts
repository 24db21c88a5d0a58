/** Words to a fixture, and its answers. */
import { type Program, until } from './program.ts';

/** Says a word to a fixture and waits until it has done it. */
export async function tell(program: Program, words: string): Promise<void> {
  const done = () => program.lines.filter((line) => line === 'done').length;
  const before = done();
  program.say(words);
  await until(`"${words}" is done`, () => done() > before);
}

/** Says a word to a fixture. @returns its next line. */
export function ask(program: Program, words: string): Promise<string> {
  const before = program.lines.length;
  program.say(words);
  return program.lineAfter(before);
}
