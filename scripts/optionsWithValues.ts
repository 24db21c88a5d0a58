/**
 * Writes src/discovery/optionsWithValues.ts: the options whose value is the next argument, as each program's own help tells them.
 *   node scripts/optionsWithValues.ts node=PATH[,PATH] bun=PATH deno=PATH python=PATH claude=PATH codex=PATH gemini=PATH copilot=PATH
 * Several paths: the options of several versions together. A program that is not given keeps its list.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { OPTIONS_WITH_VALUES } from '../src/discovery/optionsWithValues.ts';

const FILE = new URL('../src/discovery/optionsWithValues.ts', import.meta.url);
/** The arguments that make a program print its whole help; the others have one page, for `--help`. */
const HELP: Readonly<Record<string, readonly (readonly string[])[]>> = {
  bun: [['--help'], ['run', '--help']],
  deno: [['--help=full'], ['run', '--help=full']],
};

/** Options by how many arguments they take. */
export interface Options {
  readonly one: readonly string[];
  /** All arguments that follow, until one begins with `-`. */
  readonly many: readonly string[];
}

/** The options with values in a page of help. */
export function optionsInHelp(page: string): Options {
  const one = new Set<string>();
  const many = new Set<string>();
  for (const [head, names, value] of page.matchAll(OPTION)) {
    const into = head.includes('...>') || head.includes('>...') ? many : one;
    if (value?.startsWith('[=') !== true)
      for (const [name] of names?.matchAll(/-{1,2}[\w?][\w.-]*/g) ?? []) into.add(name);
  }
  // The help of yargs names the type at the end of what it says, and Python's has the value between two blanks.
  for (const [, short, long, type] of page.matchAll(YARGS)) {
    const into = type === 'array' ? many : one;
    for (const name of [...(short ? [`-${short}`] : []), `--${long}`]) into.add(name);
  }
  for (const [, name] of page.matchAll(PYTHON)) one.add(name ?? '');
  return { one: [...one].sort(), many: [...many].sort() };
}

const NAMES = '(-{1,2}[\\w?][\\w.-]*(?:, -{1,2}[\\w?][\\w.-]*)*)';
/** `-r, --require=...`, `--port=<val>`, `-m, --model <MODEL>`, `--debug [filter]`, `--lock [<VALUE>]`; not `--inspect[=…]`. */
const OPTION = new RegExp(`^ {1,8}${NAMES}(=\\S+| <[^>]+>(?:\\.\\.\\.)?| \\[[^\\]=]+\\](?= {2}|$))`, 'gm');
const YARGS = /^ {1,8}(?:-(\w), )? *--([\w-]+) {2,}(?:.|\n(?! +-))*?\[(string|array|number)\]/gm;
const PYTHON = /^(-[a-zA-Z]|--[\w-]+) [\w|]+ ?:/gm;

function helpOf(program: string, path: string): string {
  const pages = (HELP[program] ?? [['--help']]).map((args) =>
    execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return stripVTControlCharacters(pages.join('\n'));
}

function versionOf(path: string): string {
  return /\d+(\.\d+)+/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[0] ?? '';
}

/** Bun's help does not say which values are optional: those options leave the next argument to be the script. */
function withoutOptional(path: string, { one, many }: Options): Options {
  const folder = mkdtempSync(join(tmpdir(), 'taut-options-'));
  try {
    writeFileSync(join(folder, 'p.js'), 'console.log("arguments:", process.argv.length - 2)');
    const isOptional = (option: string) => {
      const args = [option, 'p.js', 'p.js'];
      const { stdout, signal } = spawnSync(path, args, { cwd: folder, encoding: 'utf8', timeout: 3_000 });
      return stdout.includes('arguments: 1') || signal !== null;
    };
    return { one: one.filter((option) => !isOptional(option)), many };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const lists = new Map<string, { from: string } & Options>(Object.entries(OPTIONS_WITH_VALUES));
  for (const given of process.argv.slice(2)) {
    const [program = '', paths = ''] = given.split('=');
    const found = paths.split(',').map((path) => {
      const options = optionsInHelp(helpOf(program, path));
      return { from: versionOf(path), ...(program === 'bun' ? withoutOptional(path, options) : options) };
    });
    const all = (of: (options: Options) => readonly string[]) => [...new Set(found.flatMap(of))].sort();
    lists.set(program, {
      from: found.map(({ from }) => from).join(' and '),
      one: all(({ one }) => one),
      many: all(({ many }) => many),
    });
  }
  const entry = ([program, { from, one, many }]: [string, { from: string } & Options]) =>
    `  // ${program} ${from}\n  ${program}: ${JSON.stringify({ from, one, many })},\n`;
  const text = `/** Options whose value is the next argument. Written by scripts/optionsWithValues.ts from the help of each program. */
export interface OptionsWithValues {
  /** The versions whose help this is. */
  readonly from: string;
  /** Options that take one argument. */
  readonly one: readonly string[];
  /** Options that take all arguments until one begins with \`-\`. */
  readonly many: readonly string[];
}

export const OPTIONS_WITH_VALUES: Readonly<Record<string, OptionsWithValues>> = {
${[...lists].map(entry).join('')}};
`;
  writeFileSync(FILE, text);
}
