/** Tells the programs that wait for an agent, or for its user, from the tools that work for it. Pure. */
import { globMatcher } from '../config/globs.ts';
import { effectiveProgram } from './program.ts';

/** Language servers, MCP servers, and programs that a person types into. */
const HELPERS = globMatcher([
  ...['*-language-server', '*-languageserver', '*-langserver', '*-lsp', '*-lsp-server', '*_lsp'],
  ...['gopls', 'tsserver', 'rust-analyzer*', 'clangd*', 'ccls', 'jdtls*', 'pylsp', 'zls', 'metals', 'solargraph'],
  ...['omnisharp', 'elixir-ls', 'terraform-ls', 'intelephense', 'nixd', 'nil', 'efm-langserver'],
  ...['mcp', 'mcp-*', 'mcp_*', '*-mcp', '*_mcp', '*-mcp-server', '*_mcp_server'],
  ...['vi', 'vim', 'nvim', 'nano', 'emacs*', 'hx', 'micro', 'less', 'more', 'man', 'pinentry*'],
]);

/** What npm packages, modules and images of MCP servers have in their names. */
const OF_MCP = /(?:^|[^a-z])mcp(?:[^a-z]|$)|modelcontextprotocol/i;

/** Programs that fetch and start what their first argument names; those of the second list after a word. */
const LAUNCHERS = globMatcher(['npx', 'npx-cli', 'pnpx', 'bunx', 'uvx']);
const LAUNCHING: ReadonlyMap<string, string> = new Map([
  ...(['npm', 'npm-cli', 'pnpm'] as const).map((name) => [name, 'exec'] as const),
  ...(['docker', 'podman', 'uv', 'pipx', 'bun', 'deno'] as const).map((name) => [name, 'run'] as const),
]);

/**
 * Whether a program waits for its agent or for a person, so that it must not be slowed: a language server, an MCP server
 * or an editor, also when it is started by a launcher that its arguments name it to.
 */
export function isHelper(given: readonly string[], exe: () => string | undefined): boolean {
  const argv = behindEnv(given);
  const { name, package: npm } = effectiveProgram(argv, exe);
  if (HELPERS(name) !== undefined || (npm !== undefined && OF_MCP.test(npm))) return true;
  if (argv.includes('--stdio') || argv.some((one) => one.includes('org.eclipse.jdt.ls'))) return true;
  return launched(name, argv).some((one) => OF_MCP.test(one));
}

/**
 * What `env` becomes. The scripts of npm and of Python packages begin with it, so for a moment a server runs it; the variables
 * and options that may stand before the program are left out.
 */
function behindEnv(argv: readonly string[]): readonly string[] {
  if (!/^(?:.*\/)?env$/.test(argv[0] ?? '')) return argv;
  const at = argv.findIndex((one, i) => i > 0 && !/^-|^\w+=/.test(one));
  return at < 0 ? argv : argv.slice(at);
}

/** What a launcher is told to start. Of docker it may be any later word: its options take values. */
function launched(launcher: string, argv: readonly string[]): readonly string[] {
  const [, ...all] = argv.length === 1 ? (argv[0] ?? '').split(' ') : argv;
  const words = all.filter((one) => !one.startsWith('-'));
  const isScript = new RegExp(`(?:^|/)${launcher}(?:\\.[cm]?js)?$`).test(words[0] ?? '');
  const own = isScript ? words.slice(1) : words;
  if (LAUNCHERS(launcher) !== undefined) return own.slice(0, 1);
  const after = LAUNCHING.get(launcher);
  const at = after === undefined ? -1 : own.indexOf(after);
  if (at < 0) return [];
  return own.slice(at + 1, /^(?:docker|podman)$/.test(launcher) ? undefined : at + 2);
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
