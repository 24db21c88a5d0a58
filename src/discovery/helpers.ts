/** Tells the programs that wait for an agent, or for its user, from the tools that work for it. Pure. */
import { globMatcher } from '../config/globs.ts';
import { basename } from './plainName.ts';
import { effectiveProgram } from './program.ts';

/** Language servers, MCP servers, and programs that a person types into. */
const HELPERS = globMatcher([
  ...[
    '*-language-server',
    '*-language-server-*',
    '*-languageserver',
    '*-langserver',
    'langserver*',
    '*-lsp',
    '*-lsp-server',
  ],
  ...[
    '*_lsp',
    'csharp-ls',
    'terraform-ls',
    'elixir-ls',
    'gopls',
    'tsserver',
    'vtsls',
    'rust-analyzer*',
    'clangd*',
    'ccls',
    'jdtls*',
    'pylsp',
    'zls',
    'metals',
  ],
  ...['solargraph', 'omnisharp', 'intelephense', 'nixd', 'nil', 'marksman', 'texlab'],
  ...['mcp', 'mcp-*', 'mcp_*', '*-mcp', '*_mcp', '*-mcp-server', '*_mcp_server'],
  ...['vi', 'vim', 'nvim', 'nano', 'emacs*', 'hx', 'micro', 'less', 'more', 'man', 'pinentry*'],
]);

/** What npm packages, modules and images of MCP servers have in their names. */
const OF_MCP = /(?:^|[^a-z])mcp(?:[^a-z]|$)|modelcontextprotocol/i;

/** An argument that only a language server is given. */
const OF_LANGUAGE_SERVER = /^--stdio$|org\.eclipse\.jdt\.ls|\bLanguage\.?Server(?:\.dll)?$|^languageserver::run\b/;

/** A command that makes a server of a program: `claude mcp serve`, `codex mcp-server`, `deno lsp`. */
const SERVING = /^(?:(?:start|run)-)?(?:mcp|lsp|language)(?:[-_](?:server?|proxy|stdio))?$|^langserver$/;

/** Programs that are told to be a language server by a command that means something else to others. */
const SERVING_OF: ReadonlyMap<string, string> = new Map([
  ['ruff', 'server'],
  ['ty', 'server'],
]);

/** Programs whose first word is a file, a pattern or a target: `rg mcp` looks for it, `make lsp` builds it. */
const TAKES_NAMES = globMatcher([
  ...[
    '*grep',
    'rg',
    'ag',
    'ack',
    'git',
    'find',
    'fd',
    'fdfind',
    'ls',
    'cat',
    'head',
    'tail',
    'wc',
    'sort',
    'sed',
    '*awk',
  ],
  ...[
    'cp',
    'mv',
    'rm',
    'mkdir',
    'rmdir',
    'touch',
    'ln',
    'tar',
    'zip',
    'unzip',
    'tee',
    'du',
    'tree',
    'stat',
    'file',
    'diff',
  ],
  ...[
    'jq',
    'yq',
    'echo',
    'printf',
    'which',
    'xargs',
    '*sh',
    'perl',
    'ruby',
    'php',
    'lua',
    'make',
    'gmake',
    'ninja',
    'just',
  ],
  ...[
    'task',
    'rake',
    'bazel',
    'gradle*',
    'mvn*',
    'cmake',
    'cargo',
    'go',
    'pytest*',
    'py.test',
    'jest',
    'vitest',
    'mocha',
  ],
  ...[
    'tsc',
    'eslint',
    'prettier',
    'black',
    'isort',
    'flake8',
    'pylint',
    'mypy',
    'pyright',
    'tox',
    'rustfmt',
    'gofmt',
    'cloc',
  ],
]);

/** Programs that fetch and start what their first argument names. */
const LAUNCHERS = globMatcher(['npx', 'npx-cli', 'pnpx', 'bunx', 'uvx', 'dnx']);
/** Those that do it after a command. */
const LAUNCHING: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    ...{ npm: ['exec', 'x'], 'npm-cli': ['exec', 'x'], pnpm: ['exec', 'dlx'], yarn: ['exec', 'dlx'] },
    ...{ bun: ['x', 'run'], deno: ['run', 'x'], uv: ['run', 'tool run', 'x'], pipx: ['run'], go: ['run'] },
    ...{ docker: ['run'], podman: ['run'], nerdctl: ['run'] },
  }),
);

/** Programs that become the one that their arguments name: their options with a value, and the words of their own before it. */
const WRAPPERS: ReadonlyMap<string, { readonly takesValue: RegExp; readonly own: number }> = new Map(
  Object.entries({
    env: { takesValue: /^(?:-[uC]|--unset|--chdir)$/, own: 0 },
    timeout: { takesValue: /^(?:-[ks]|--kill-after|--signal)$/, own: 1 },
    nice: { takesValue: /^(?:-n|--adjustment)$/, own: 0 },
    ionice: { takesValue: /^(?:-[cn]|--class|--classdata)$/, own: 0 },
    chrt: { takesValue: /^(?:-[TPD]|--sched-\w+)$/, own: 1 },
    taskset: { takesValue: /^$/, own: 1 },
    stdbuf: { takesValue: /^(?:-[ioe]|--input|--output|--error)$/, own: 0 },
    nohup: { takesValue: /^$/, own: 0 },
    setsid: { takesValue: /^$/, own: 0 },
    sudo: { takesValue: /^-[ugpCDhrtT]$/, own: 0 },
  }),
);

/**
 * Whether a program waits for its agent or for a person, so that it must not be slowed: a language server, an MCP server
 * or an editor, also when it is started by a launcher that its arguments name it to.
 */
export function isHelper(given: readonly string[], exe: () => string | undefined): boolean {
  const argv = behindWrappers(given);
  const { name, package: npm, commands, starts } = effectiveProgram(argv, exe);
  if (HELPERS(name) !== undefined || (npm !== undefined && OF_MCP.test(npm))) return true;
  if (argv.some((one) => OF_LANGUAGE_SERVER.test(one))) return true;
  if (isServing(name, commands[0]) || isServing(name, starts)) return true;
  return launched(name, argv).some((one) => OF_MCP.test(one) || HELPERS(nameOfSpecifier(one)) !== undefined);
}

function isServing(program: string, command: string | undefined): boolean {
  if (command === undefined) return false;
  return SERVING_OF.get(program) === command || (SERVING.test(command) && TAKES_NAMES(program) === undefined);
}

/**
 * What a wrapper becomes. The scripts of npm and of Python packages begin with `env`, so for a moment a server runs it; the
 * variables and options that may stand before the program are left out.
 */
function behindWrappers(argv: readonly string[]): readonly string[] {
  const wrapper = WRAPPERS.get(basename(argv[0] ?? ''));
  if (!wrapper) return argv;
  let { own } = wrapper;
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (wrapper.takesValue.test(word)) i++;
    else if (!/^-|^\w+=/.test(word) && own-- === 0) return behindWrappers(argv.slice(i));
  }
  return argv;
}

/** What a launcher is told to start. Of docker it may be any later word: its options take values. */
function launched(launcher: string, argv: readonly string[]): readonly string[] {
  const [, ...all] = argv.length === 1 ? (argv[0] ?? '').split(' ') : argv;
  const words = all.filter((one) => !one.startsWith('-'));
  const isScript = new RegExp(`(?:^|/)${launcher}(?:\\.[cm]?js)?$`).test(words[0] ?? '');
  const own = isScript ? words.slice(1) : words;
  if (LAUNCHERS(launcher) !== undefined) return own.slice(0, 1);
  for (const command of LAUNCHING.get(launcher) ?? []) {
    const [first = '', second] = command.split(' ');
    const at = own.indexOf(first);
    if (at < 0 || (second !== undefined && own[at + 1] !== second)) continue;
    const from = at + (second === undefined ? 1 : 2);
    return own.slice(from, /^(?:docker|podman|nerdctl)$/.test(launcher) ? undefined : from + 1);
  }
  return [];
}

/** `@scope/name@1.2` is name. */
function nameOfSpecifier(specifier: string): string {
  return basename(specifier.replace(/(?<=.)@[^/]*$/, ''));
}

/** Python's own ways to start another process of the same program. */
const PYTHON_WORKER = /^from multiprocessing[. ]/;

/**
 * Whether a process runs the same program as its agent: a relaunched parent, or a worker. Scripts are the same program
 * if they lie in one npm package or in one folder, executables if they have one name.
 */
export function isSameProgram(agent: RunProgram, child: RunProgram): boolean {
  if (agent.exe === undefined || agent.exe !== child.exe) return false;
  const [its, own] = [child, agent].map(({ argv, exe }) => effectiveProgram(argv, () => exe));
  if (its === undefined || own === undefined) return false;
  if (its.interpreter === undefined) return its.name === own.name;
  if (child.argv.some((one) => PYTHON_WORKER.test(one))) return true;
  if (its.path === own.path || (its.package !== undefined && its.package === own.package)) return true;
  const folder = folderOf(its.path);
  return folder !== undefined && folder === folderOf(own.path);
}

/** The command line of a process, and the path of its executable if the kernel shows it. */
export interface RunProgram {
  readonly argv: readonly string[];
  readonly exe: string | undefined;
}

/** The folder of a script; undefined for folders that many programs share, and for relative paths. */
function folderOf(path: string): string | undefined {
  const folder = path.slice(0, path.lastIndexOf('/'));
  return path.startsWith('/') && !/(?:^|\/)\.?s?bin$/.test(folder) ? folder : undefined;
}
