/** Programs that run another one in their own process: interpreters, the dynamic loader, emulators. Pure. */
import { OPTIONS_WITH_VALUES } from './optionsWithValues.ts';
import { undecorated } from './plainName.ts';

export interface Runner {
  /** `node`, `python`, `bun`, `deno`; `program`: it runs a native program, or whatever runner that is. */
  readonly name: string;
  readonly executable: RegExp;
  /** Options whose value is the next argument. */
  readonly takesValue: ReadonlySet<string>;
  /** Options with the code, or with the name of a script in package.json: no program follows. */
  readonly isCode: ReadonlySet<string>;
  /** A command that may come before the script. */
  readonly commands?: ReadonlySet<string>;
  /** A word without a folder and an ending is a command, a script of package.json or a package: a child runs it. */
  readonly startsWords?: boolean;
}

const words = (text: string) => new Set(text.split(' '));
const optionsOf = (runtime: string) => new Set(OPTIONS_WITH_VALUES[runtime]?.one);

export const RUNNERS: readonly Runner[] = [
  {
    name: 'node',
    // Electron runs a script as Node does.
    executable: /^(node|nodejs|nsolid|MainThread)(-?\d[\d.]*)?$|^electron\d*$/,
    takesValue: optionsOf('node'),
    isCode: words('-e --eval -p --print -pe --run'),
  },
  {
    name: 'python',
    // `python3.13t` is without the interpreter's lock, `python3.11-dbg` with its checks.
    executable: /^(python|pypy|graalpy)(\d[\d.]*t?)?(-dbg|d)?$/,
    takesValue: new Set([...optionsOf('python')].filter((option) => option !== '-c' && option !== '-m')),
    isCode: words('-c'),
  },
  {
    name: 'bun',
    // Built for those who work on it, too.
    executable: /^bun(-(profile|debug))?$/,
    takesValue: optionsOf('bun'),
    isCode: words('-e --eval -p --print'),
    commands: words('run'),
    startsWords: true,
  },
  {
    name: 'deno',
    // `dx` is `deno x`.
    executable: /^(deno|dx)$/,
    takesValue: optionsOf('deno'),
    isCode: new Set(),
    commands: words('run x'),
    startsWords: true,
  },
  {
    // The dynamic loader, started with a program as its argument.
    name: 'program',
    executable: /^ld(-linux|-musl)?[\w.-]*\.so(\.\d+)?$/,
    takesValue: words('--library-path --preload --argv0 --audit --inhibit-rpath --glibc-hwcaps-prepend'),
    isCode: words('--list --verify'),
  },
  {
    // Emulators of another machine, and of this one: they keep the program's command line behind their own.
    name: 'program',
    executable:
      /^(qemu-(x86_64|i386|aarch64|arm|riscv64|ppc64le|s390x)(-static)?|\w+-binfmt-P|box(86|64)|FEX(Interpreter|Loader)?|rosetta|blink|valgrind(\.bin)?)$/,
    takesValue: words('-g -L -s -C -cpu -E -U -0 -r -B -R -d -dfilter -D -p -plugin -seed -strace -trace'),
    isCode: new Set(),
  },
];

/** How the names of runners begin: one look at the many names that are none. */
const MAY_BE_RUNNER =
  /^\.*(?:node|nsolid|MainThread|electron|python|pypy|graalpy|bun|deno|dx|ld|qemu-|box|FEX|rosetta|blink|valgrind)|-binfmt-P/;

/** Applications with Electron in them, which run a script as Node does when they are told to. */
const ELECTRON_APPS = words(
  'code code-insiders code-oss codium vscodium cursor windsurf trae kiro antigravity positron void qoder codebuddy theia obsidian',
);
const AS_NODE = '--ms-enable-electron-run-as-node';

const NODE = RUNNERS[0];

/** The runner of this name, if it is one. @param name a file name. */
export function runnerOf(name: string): Runner | undefined {
  if (!MAY_BE_RUNNER.test(name)) return undefined;
  const plain = undecorated(name);
  // `qemu-x86_64` is no decorated `qemu`.
  return RUNNERS.find(({ executable }) => executable.test(plain) || executable.test(name));
}

/** Node, when an Electron application was told to be it. @param env is called just for such an application with a script. */
export function electronAsNode(
  name: string,
  argv: readonly string[],
  env: () => readonly string[],
): Runner | undefined {
  const first = argv[1] ?? '';
  if (first !== AS_NODE && !(first.startsWith('/') && /\.[cm]?js$/.test(first))) return undefined;
  if (!ELECTRON_APPS.has(name.toLowerCase())) return undefined;
  return first === AS_NODE || env().includes('ELECTRON_RUN_AS_NODE') ? NODE : undefined;
}
