/** The command that a program was given: its first argument that is neither an option nor the value of one. Pure. */
import { OPTIONS_WITH_VALUES } from './optionsWithValues.ts';

interface Taking {
  readonly one: ReadonlySet<string>;
  readonly many: ReadonlySet<string>;
}

const words = (text: string) => text.split(' ');

/** By the program's name. These are known from the programs' documentation, the others from their help. */
const DOCUMENTED = {
  // pressly/goose; Block's goose has no option with a value before its command.
  goose: { one: words('-dir --dir -table --table -certfile -ssl-cert -ssl-key -env -timeout'), many: [] },
};

const TAKING: ReadonlyMap<string, Taking> = new Map(
  Object.entries({ ...OPTIONS_WITH_VALUES, ...DOCUMENTED }).map(([program, { one, many }]) => [
    program,
    { one: new Set(one), many: new Set(many) },
  ]),
);

/** Packages whose scripts are one of these programs. */
const PROGRAM_OF: ReadonlyMap<string, string> = new Map([
  ['@anthropic-ai/claude-code', 'claude'],
  ['@openai/codex', 'codex'],
  ['@google/gemini-cli', 'gemini'],
  ['@github/copilot', 'copilot'],
]);

/** With these options the program takes any word for a prompt, and knows no command: `claude -p doctor`. */
const PROMPTED: ReadonlyMap<string, ReadonlySet<string>> = new Map([['claude', new Set(['-p', '--print'])]]);

/** What comes after `--` is a prompt to these, not a command. */
const PROMPT_BEHIND: ReadonlySet<string> = new Set(['codex', 'gemini', 'qwen', 'goose']);

/** The name under which a program's help is known. */
function programOf(name: string, npm: string | undefined): string {
  return (npm !== undefined ? PROGRAM_OF.get(npm) : undefined) ?? name.toLowerCase();
}

/**
 * The command, as the program itself sees it, and the next such argument, which may be a command of that command. Of a program
 * whose options are not known, an option without `=` takes the next argument for its value: so a value is never taken for a
 * command.
 * @param args the arguments after the program. @param npm its package.
 */
export function commandsOf(args: readonly string[], name: string, npm: string | undefined): readonly string[] {
  const program = programOf(name, npm);
  const taking = TAKING.get(program);
  const prompted = PROMPTED.get(program);
  const found: string[] = [];
  for (let i = 0; i < args.length && found.length < 2; i++) {
    const argument = args[i] ?? '';
    if (argument === '--') return PROMPT_BEHIND.has(program) ? found : [...found, ...args.slice(i + 1, i + 2)];
    if (!isOption(argument)) found.push(argument);
    else if (found.length === 0 && prompted?.has(argument)) return [];
    else if (taking?.many.has(argument)) while (i + 1 < args.length && !isOption(args[i + 1] ?? '')) i++;
    else if ((taking ? taking.one.has(argument) : !argument.includes('=')) && !isOption(args[i + 1] ?? '-x')) i++;
  }
  return found;
}

/** The options of the program, without the values behind `=`; what follows `--`, and the value of an option, is none. */
export function optionsOf(args: readonly string[], name: string, npm: string | undefined): readonly string[] {
  const taking = TAKING.get(programOf(name, npm));
  const end = args.indexOf('--');
  const given = end < 0 ? args : args.slice(0, end);
  const isValue = (i: number) => taking?.one.has(given[i - 1] ?? '') === true;
  return given.flatMap((argument, i) => (isOption(argument) && !isValue(i) ? (argument.split('=', 1)[0] ?? []) : []));
}

function isOption(argument: string): boolean {
  return argument.startsWith('-') && argument !== '-';
}
