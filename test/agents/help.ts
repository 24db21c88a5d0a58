/** What a program's own help says of its commands, and of how it is asked for its version. Pure. */
import { stripVTControlCharacters } from 'node:util';

const WORD = '[a-z][\\w-]*';
const NAMES = `${WORD}(?:(?:\\||, )${WORD})*`;
const ALONE = new RegExp(`^${WORD}$`);
const HEADING = /^(?:╭─+ )?(?:commands|subcommands)\b/i;
/** `mcp  Manage servers`, `search|find [options] <query>  Search`, `agents *  Manage agents`. */
const LISTED = new RegExp(`^(?:│ | {1,4})(${NAMES})(?: \\*)?(?: [<[(].*?)?(?: {2,}|$)`);

/**
 * The commands that a page of help lists, with the other names that it gives them: those of commander, clap, yargs, typer and
 * argparse, and what each line shows behind the program's name. Of commands below commands, the upper ones.
 * @param program as the page calls it.
 */
export function commandsInHelp(page: string, program: string): string[] {
  const found = new Set<string>();
  const add = (names: string | undefined) => {
    for (const name of names?.split(/[|,]\s*/) ?? []) if (ALONE.test(name)) found.add(name);
  };
  const shown = new RegExp(`^ {1,4}${program} (${NAMES})(?: \\.\\.\\.| [<[].*?)?(?: {2,}|$)`);
  // Where the names of a list begin; -1 before its first one, undefined outside of a list.
  let margin: number | undefined;
  for (const line of stripVTControlCharacters(page).split('\n')) {
    if (HEADING.test(line)) margin = -1;
    else if (/^[^ │]/.test(line)) margin = undefined;
    const indent = /^[│ ]*/.exec(line)?.[0].length ?? 0;
    const listed = margin === undefined || (margin >= 0 && indent !== margin) ? undefined : LISTED.exec(line)?.[1];
    const name = shown.exec(line)?.[1] ?? listed;
    if (listed !== undefined) margin = indent;
    add(name);
    if (name !== undefined) add(/[[(]alias(?:es)?: ([^\])]+)[\])]/.exec(line)?.[1]);
    add(/^ {2}\{([\w,-]+)\}/.exec(line)?.[1]); // argparse
  }
  found.delete(program);
  return [...found].sort();
}

/** The short options with which the page says that the program prints its version. */
export function versionOptionsInHelp(page: string): string[] {
  const text = stripVTControlCharacters(page);
  return ['-v', '-V'].filter((option) =>
    new RegExp(`^[│ ]+(?:${option},? +--version\\b|--version,? +${option}\\b)`, 'm').test(text),
  );
}
