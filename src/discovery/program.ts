/** The program that a process runs, also behind an interpreter: `node --flags …/bin/x.js` runs x. Pure. */

export interface EffectiveProgram {
  /** The script or executable, as given. */
  readonly path: string;
  /** The file name of the path, without endings such as `.js` or `.exe`. */
  readonly name: string;
  /** The npm package that contains the path. */
  readonly package: string | undefined;
  /** The interpreter: `node`, `python`, `bun`, `deno`; undefined when the program is its own executable. */
  readonly interpreter: string | undefined;
}

interface Interpreter {
  readonly name: string;
  readonly executable: RegExp;
  /** Options whose value is the next argument. */
  readonly takesValue: ReadonlySet<string>;
  /** Options with the code as their argument: no script follows. */
  readonly isCode: ReadonlySet<string>;
  /** Subcommands that may come before the script. */
  readonly commands?: ReadonlySet<string>;
}

const LOADER = 'ld.so';

const INTERPRETERS: readonly Interpreter[] = [
  {
    name: 'node',
    executable: /^(node|nodejs|MainThread)(-?\d[\d.]*)?$/,
    takesValue: new Set(
      '-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --title --stack-trace-limit --icu-data-dir --openssl-config --watch-path --input-type --disable-warning --redirect-warnings --diagnostic-dir --report-directory --trace-event-categories --snapshot-blob --unhandled-rejections --dns-result-order --inspect-port --debug-port'.split(
        ' ',
      ),
    ),
    isCode: new Set(['-e', '--eval', '-p', '--print', '-pe', '--run']),
  },
  {
    name: 'python',
    executable: /^(python|pypy)(\d[\d.]*)?$/,
    takesValue: new Set(['-W', '-X', '--check-hash-based-pycs']),
    isCode: new Set(['-c']),
  },
  {
    name: 'bun',
    executable: /^bunx?$/,
    takesValue: new Set(['-r', '--preload', '--cwd', '--config', '-c', '--env-file']),
    isCode: new Set(['-e', '--eval', '-p', '--print']),
    commands: new Set(['run']),
  },
  {
    name: 'deno',
    executable: /^deno$/,
    takesValue: new Set(['-c', '--config', '--import-map', '--env-file']),
    isCode: new Set(['eval']),
    commands: new Set(['run']),
  },
  {
    // The dynamic loader, started with a program as its argument.
    name: LOADER,
    executable: /^ld(-linux|-musl)?[\w.-]*\.so(\.\d+)?$/,
    takesValue: new Set([
      '--library-path',
      '--preload',
      '--argv0',
      '--audit',
      '--inhibit-rpath',
      '--glibc-hwcaps-prepend',
    ]),
    isCode: new Set(['--list', '--verify']),
  },
];

/**
 * The effective program of a command line. If the process has overwritten its argv with a title, the title is used.
 * `exe` is called only when the command line is not enough, because reading the executable costs a system call.
 */
export function effectiveProgram(argv: readonly string[], exe: () => string | undefined): EffectiveProgram {
  const first = argv[0] ?? '';
  const interpreter = interpreterOf(first);
  if (interpreter?.name === LOADER) {
    const at = scriptIndex(argv, interpreter);
    const program = argv[at ?? 0] ?? '';
    // A loader that runs a loader counts as that loader.
    const isLoader = at === undefined || interpreterOf(program)?.name === LOADER;
    return isLoader ? describe(program, NATIVE) : effectiveProgram(argv.slice(at), NATIVE);
  }
  if (interpreter) return describe(scriptOf(argv, interpreter) ?? first, () => interpreter.name);
  if (first === '') return describe(exe() ?? '', NATIVE);
  // A title is one string, with spaces, in the place of argv.
  const title = argv.length === 1 && !first.startsWith('/') ? (first.split(' ')[0] ?? first) : first;
  return describe(title.replace(/:$/, ''), () => interpreterOf(exe() ?? '')?.name);
}

const NATIVE = () => undefined;

function interpreterOf(path: string): Interpreter | undefined {
  const name = basename(path);
  return INTERPRETERS.find((interpreter) => interpreter.executable.test(name));
}

/** The script, or the module of `python -m`; undefined when the code is an argument or comes from standard input. */
function scriptOf(argv: readonly string[], interpreter: Interpreter): string | undefined {
  const at = scriptIndex(argv, interpreter);
  if (at === undefined) return undefined;
  const script = argv[at] ?? '';
  const module = interpreter.name === 'python' ? moduleOf(argv[at - 1] ?? '', script) : undefined;
  return module?.split('.')[0] ?? script;
}

/** Returns x for `-m x`, `-mx`, `-Im x`: Python's short options can be combined. */
function moduleOf(option: string, argument: string): string | undefined {
  const attached = PYTHON_MODULE.exec(argument)?.[1];
  if (attached) return attached;
  return PYTHON_MODULE.exec(option)?.[1] === '' ? argument : undefined;
}

const PYTHON_MODULE = /^-[bBdEhiIOPqsSuvxV]*m(.*)$/;
const PYTHON_CODE = /^-[bBdEhiIOPqsSuvxV]*c/;

function scriptIndex(argv: readonly string[], { name, isCode, takesValue, commands }: Interpreter): number | undefined {
  const within = (i: number) => (i < argv.length ? i : undefined);
  let mayBeCommand = true;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    const option = argument.split('=')[0] ?? '';
    if (isCode.has(option)) return undefined;
    if (argument === '--') return within(i + 1);
    if (name === 'python' && PYTHON_CODE.test(argument)) return undefined;
    const module = name === 'python' ? PYTHON_MODULE.exec(argument)?.[1] : undefined;
    if (module !== undefined) return module === '' ? within(i + 1) : i;
    if (argument.startsWith('-') && argument !== '-') {
      if (takesValue.has(argument)) i++;
    } else if (mayBeCommand && commands?.has(argument)) mayBeCommand = false;
    else return i;
  }
  return undefined;
}

function describe(given: string, interpreter: () => string | undefined): EffectiveProgram {
  // `python …/aider/__main__.py` is what `python -m aider` runs.
  const path = given.replace(/(?<=[^/])\/__main__\.py$/, '');
  const name = basename(path).replace(/\.(exe|[cm]?[jt]sx?|py)$/i, '');
  return new Program(path, name, interpreter);
}

class Program implements EffectiveProgram {
  readonly path: string;
  readonly name: string;
  readonly #interpreter: () => string | undefined;

  constructor(path: string, name: string, interpreter: () => string | undefined) {
    this.path = path;
    this.name = name;
    this.#interpreter = interpreter;
  }

  get package(): string | undefined {
    return packageOf(this.path);
  }

  get interpreter(): string | undefined {
    return this.#interpreter();
  }
}

/** `…/node_modules/@scope/name/…` -> `@scope/name`; for nested packages the innermost one. */
function packageOf(path: string): string | undefined {
  const at = path.lastIndexOf('/node_modules/');
  const parts = at < 0 ? [] : path.slice(at + '/node_modules/'.length).split('/');
  const [scope, name] = parts;
  if (scope === undefined || scope.startsWith('.') || parts.length < 2) return undefined;
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
