/** The program that a process runs, seen through its interpreter: `node --flags …/bin/x.js` runs x. Pure. */

export interface EffectiveProgram {
  /** The script or executable, as given. */
  readonly path: string;
  /** Its name, without the folder and without `.js`, `.exe` and the like. */
  readonly name: string;
  /** The npm package that the path lies in. */
  readonly package: string | undefined;
  readonly interpreter: string | undefined;
}

interface Interpreter {
  readonly name: string;
  readonly executable: RegExp;
  /** Options whose value is the next argument. */
  readonly takesValue: ReadonlySet<string>;
  /** Options after which no script follows: the code is in the argument. */
  readonly isCode: ReadonlySet<string>;
  /** Commands that stand before the script. */
  readonly commands?: ReadonlySet<string>;
}

const INTERPRETERS: readonly Interpreter[] = [
  {
    name: 'node',
    executable: /^(node|nodejs|MainThread)(-?\d[\d.]*)?$/,
    takesValue: new Set(
      '-r --require --import --loader --experimental-loader -C --conditions --env-file --title --stack-trace-limit --icu-data-dir --openssl-config'.split(
        ' ',
      ),
    ),
    isCode: new Set(['-e', '--eval', '-p', '--print', '-pe']),
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
];

/** The effective program of a command line. An argv that the process has overwritten with a title is taken at its word. */
export function effectiveProgram(argv: readonly string[], exe: string | undefined): EffectiveProgram {
  const first = argv[0] ?? '';
  const interpreter = INTERPRETERS.find((i) => i.executable.test(basename(first)));
  if (interpreter) {
    const script = scriptOf(argv, interpreter);
    if (script) return describe(script, interpreter.name);
    return describe(first, interpreter.name);
  }
  if (first === '') return describe(exe ?? '', undefined);
  // A title: one string, spaces and all, where argv was.
  const title = argv.length === 1 && !first.startsWith('/') ? (first.split(' ')[0] ?? first) : first;
  const host = INTERPRETERS.find((i) => exe !== undefined && i.executable.test(basename(exe)));
  return describe(title.replace(/:$/, ''), host?.name);
}

function scriptOf(argv: readonly string[], interpreter: Interpreter): string | undefined {
  let mayBeCommand = true;
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i] ?? '';
    if (interpreter.isCode.has(argument)) return undefined;
    if (interpreter.name === 'python' && argument === '-m') return argv[i + 1]?.split('.')[0];
    if (argument === '--') return argv[i + 1];
    if (argument.startsWith('-') && argument !== '-') {
      if (interpreter.takesValue.has(argument)) i++;
    } else if (mayBeCommand && interpreter.commands?.has(argument)) mayBeCommand = false;
    else return argument;
  }
  return undefined;
}

function describe(path: string, interpreter: string | undefined): EffectiveProgram {
  const name = basename(path).replace(/\.(exe|[cm]?[jt]s|py)$/i, '');
  return { path, name, package: packageOf(path), interpreter };
}

/** `…/node_modules/@scope/name/…` -> `@scope/name`; of nested packages the innermost. */
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
