/** The program that a process runs, also behind an interpreter: `node --flags …/bin/x.js` runs x. Pure. */
import { commandsOf, optionsOf } from './command.ts';
import { packageOfPath, packageOfSpecifier, packagesOfFile, packagesOfModule } from './packages.ts';
import { basename, fileName, nameOfExecutable, plainName, stemOf, undecorated } from './plainName.ts';
import { pythonProgram } from './pythonLine.ts';
import { electronAsNode, type Runner, runnerOf } from './runners.ts';
import { isExecutable, runnerOfTitle, wordsOf } from './title.ts';

export interface EffectiveProgram {
  /** The script or executable, as given; of a title that does not name the executable, the whole title. */
  readonly path: string;
  /** The path, the same without decoration of its name, if it has some, and both with `./` before, if they are relative. */
  readonly paths: readonly string[];
  /** The file name of the path, without endings such as `.js` or `.exe` and without decoration. */
  readonly name: string;
  /** The name, and the one with its decoration, if it has some: rules may name either. */
  readonly names: readonly string[];
  /** The npm or Python package that contains the path. */
  readonly package: string | undefined;
  /** All packages that it is: of a Python module also its whole name, `package.module`. */
  readonly packages: readonly string[];
  /** The interpreter: `node`, `python`, `bun`, `deno`; undefined when the program is its own executable. */
  readonly interpreter: string | undefined;
  /** The first arguments of the program, two at most, that are neither an option nor the value of one. */
  readonly commands: readonly string[];
  /** The options of the program, without values. */
  readonly options: readonly string[];
  /** What this launcher starts as a child: `claude` for `bunx claude`. */
  readonly starts: string | undefined;
}

/**
 * The effective program of a command line. If the process has overwritten its argv with a title, the title is used.
 * `exe` is called only when the command line is not enough, because reading the executable costs a system call; `env`, which
 * gives the names of the environment variables, only for an Electron application that was given a script.
 */
export function effectiveProgram(
  argv: readonly string[],
  exe: () => string | undefined,
  env: () => readonly string[] = () => [],
): EffectiveProgram {
  const first = argv[0] ?? '';
  if (first === '') return new Program({ given: exe() ?? '', args: [] });
  if (argv.length === 1 && first.includes(' ')) return titled(first, exe, env);
  const name = basename(first);
  const runner = runnerOf(name) ?? electronAsNode(name, argv, env);
  if (runner?.name === 'program') return emulated(argv, runner);
  if (runner) return interpreted(argv, runner);
  if (name === 'bunx')
    return new Program({ given: first, interpreter: () => 'bun', starts: firstWord(argv), args: [] });
  const interpreter = () => (argv.length === 1 ? runnerNameOf(exe()) : undefined);
  return new Program({ given: argv.length === 1 ? first.replace(/:$/, '') : first, interpreter, args: argv.slice(1) });
}

function runnerNameOf(exe: string | undefined): string | undefined {
  const name = runnerOf(nameOfExecutable(exe))?.name;
  return name === 'program' ? undefined : name;
}

/** A title is one string, with blanks, in the place of argv: a whole command line, or words about what the process does. */
function titled(title: string, exe: () => string | undefined, env: () => readonly string[]): EffectiveProgram {
  const words = wordsOf(title.trim());
  const [word = ''] = words;
  if (words.length === 1) return effectiveProgram(words, exe, env);
  if (runnerOfTitle(title, word, exe)) return effectiveProgram(words, exe, env);
  // A path may have a blank in it.
  if (/^\.{0,2}\//.test(title) && !isExecutable(word, exe())) return new Program({ given: title, args: [] });
  const name = word.replace(/:$/, '');
  const interpreter = () => runnerNameOf(exe());
  const path = () => (isExecutable(name, exe()) ? name : title);
  return new Program({ given: name, path, interpreter, args: words.slice(1) });
}

/** What a loader or an emulator runs; one that runs a runner of the same kind, as itself. */
function emulated(argv: readonly string[], runner: Runner): EffectiveProgram {
  const at = scriptIndex(argv, runner);
  const program = argv[at ?? 0] ?? '';
  if (at === undefined || runnerOf(basename(program))?.executable === runner.executable)
    return new Program({ given: program, args: [] });
  // An emulator that the kernel starts may get the program's own argument 0 behind the program's path.
  const isTwice = at === 1 && basename(argv[at + 1] ?? '') === basename(program);
  return effectiveProgram(argv.slice(isTwice ? at + 1 : at), () => program);
}

/** A script, a module or a package. Without one the interpreter is the program: its code is an argument, or it is a launcher. */
function interpreted(argv: readonly string[], runner: Runner): EffectiveProgram {
  const interpreter = () => runner.name;
  const itself = { given: argv[0] ?? '', interpreter, args: [] };
  if (runner.name === 'python') {
    const found = pythonProgram(argv, runner.takesValue);
    if (!found) return new Program(itself);
    const { at, module } = found;
    const given = module === undefined ? (argv[at] ?? '') : (module.split('.')[0] ?? '');
    const packages = () => (module === undefined ? packagesOfFile(given) : packagesOfModule(module));
    // `python …/aider/__main__.py` is what `python -m aider` runs.
    return new Program({
      given: given.replace(/(?<=[^/])\/__main__\.py$/, ''),
      packages,
      interpreter,
      args: argv.slice(at + 1),
    });
  }
  const at = scriptIndex(argv, runner);
  if (at === undefined) return new Program(itself);
  const script = argv[at] ?? '';
  const specified = packageOfSpecifier(script);
  if (specified === undefined && runner.startsWords && !/[/.:]/.test(script))
    return new Program({
      ...itself,
      starts: runner.commands?.has(argv[at - 1] ?? '') || at === 1 ? script : undefined,
    });
  const packages = specified === undefined ? undefined : () => [specified];
  const given = specified ?? script;
  return new Program({ given, packages, interpreter, args: argv.slice(at + 1) });
}

function scriptIndex(argv: readonly string[], { isCode, takesValue, commands }: Runner): number | undefined {
  let mayBeCommand = true;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    const option = argument.split('=')[0] ?? '';
    if (isCode.has(option)) return undefined;
    if (argument === '--') return i + 1 < argv.length ? i + 1 : undefined;
    if (argument.startsWith('-') && argument !== '-') {
      if (takesValue.has(argument)) i++;
    } else if (mayBeCommand && commands?.has(argument)) mayBeCommand = false;
    else return i;
  }
  return undefined;
}

function firstWord(argv: readonly string[]): string | undefined {
  return argv.slice(1).find((argument) => !argument.startsWith('-'));
}

const NONE: readonly string[] = [];

function npmOf(path: string): readonly string[] {
  const npm = packageOfPath(path);
  return npm === undefined ? NONE : [npm];
}

interface Parts {
  readonly given: string;
  /** Default: what is given. */
  readonly path?: () => string;
  readonly packages?: (() => readonly string[]) | undefined;
  readonly interpreter?: () => string | undefined;
  readonly args: readonly string[];
  readonly starts?: string | undefined;
}

/** Most processes are matched by their name alone, so the rest is worked out when a rule asks for it. */
class Program implements EffectiveProgram {
  readonly name: string;
  readonly names: readonly string[];
  readonly starts: string | undefined;
  readonly #parts: Parts;
  // An agent has several rules, and each asks for these.
  #packages: readonly string[] | undefined;
  #commands: readonly string[] | undefined;
  #options: readonly string[] | undefined;

  constructor(parts: Parts) {
    const name = fileName(parts.given);
    this.name = plainName(name);
    const stem = stemOf(name);
    this.names = stem === this.name ? [stem] : [this.name, stem];
    this.starts = parts.starts;
    this.#parts = parts;
  }

  get path(): string {
    return this.#parts.path?.() ?? this.#parts.given;
  }

  get paths(): readonly string[] {
    const { path } = this;
    const name = basename(path);
    const plain = undecorated(name);
    const given = plain === name ? [path] : [path, path.slice(0, path.length - name.length) + plain];
    // `bin/x` lies in a folder `bin`, as `/x/bin/x` does.
    return /^[^/ ]+\//.test(path) ? [...given, ...given.map((one) => `./${one}`)] : given;
  }

  get packages(): readonly string[] {
    this.#packages ??= this.#parts.packages?.() ?? npmOf(this.#parts.given);
    return this.#packages;
  }

  get package(): string | undefined {
    return this.packages.at(-1);
  }

  get interpreter(): string | undefined {
    return this.#parts.interpreter?.();
  }

  get options(): readonly string[] {
    this.#options ??= optionsOf(this.#parts.args, this.name, this.package);
    return this.#options;
  }

  get commands(): readonly string[] {
    this.#commands ??= commandsOf(this.#parts.args, this.name, this.package);
    return this.#commands;
  }
}
