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

/** The name under which a program's help is known. */
function programOf(name: string, npm: string | undefined): string {
  return (npm !== undefined ? PROGRAM_OF.get(npm) : undefined) ?? name.toLowerCase();
}

/**
 * The command, as the program itself sees it. Of a program whose options are not known, an option without `=` takes the next
 * argument for its value: so a value is never taken for a command.
 * @param args the arguments after the program. @param npm its package.
 */
export function commandOf(args: readonly string[], name: string, npm: string | undefined): string | undefined {
  const program = programOf(name, npm);
  const taking = TAKING.get(program);
  const prompted = PROMPTED.get(program);
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? '';
    if (argument === '--') return args[i + 1];
    if (!isOption(argument)) return argument;
    if (prompted?.has(argument)) return undefined;
    if (taking?.many.has(argument)) while (i + 1 < args.length && !isOption(args[i + 1] ?? '')) i++;
    else if ((taking ? taking.one.has(argument) : !argument.includes('=')) && !isOption(args[i + 1] ?? '-x')) i++;
  }
  return undefined;
}

function isOption(argument: string): boolean {
  return argument.startsWith('-') && argument !== '-';
}
