/** A process that has overwritten its arguments shows a title, one string with blanks in it, in their place. Pure. */
import { basename, plainName } from './plainName.ts';
import { type Runner, runnerOf } from './runners.ts';

const SCRIPT = /\.([cm]?[jt]sx?|py)$/;

/** The title as arguments. A path with blanks in it stays one argument when it ends as a script does. */
export function wordsOf(title: string): string[] {
  const words: string[] = [];
  const given = title.split(/ +/);
  for (let i = 0; i < given.length; i++) {
    const word = given[i] ?? '';
    const ends = given.findIndex((other, j) => j >= i && SCRIPT.test(other));
    const isPath = word.startsWith('/') && i > 0 && ends > i && given.slice(i + 1, ends).every((w) => !/^[-/]/.test(w));
    words.push(isPath ? given.slice(i, ends + 1).join(' ') : word);
    if (isPath) i = ends;
  }
  return words;
}

/** The runner that a title begins with, if that is what the process runs. */
export function runnerOfTitle(title: string, word: string, exe: () => string | undefined): Runner | undefined {
  const runner = runnerOf(basename(word));
  if (!runner) return undefined;
  const path = exe();
  // Without a process the title stands for the executable as well.
  if (path === undefined || path === title) return runner;
  return runnerOf(basename(path))?.name === runner.name ? runner : undefined;
}

/** Whether the executable is what the word names: its name is the same, or it lies in a folder of that name. */
export function isExecutable(word: string, exe: string | undefined): boolean {
  const name = plainName(basename(word)).toLowerCase();
  return (exe ?? '').split('/').some((part) => plainName(part).toLowerCase() === name);
}
