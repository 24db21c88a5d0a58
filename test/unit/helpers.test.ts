/** Which programs below an agent wait for it, which are the agent's own, and which are its tools. */
import { expect, test } from 'vitest';
import { isHelper, isSameProgram } from '../../src/discovery/helpers.ts';

const helper = (line: string) => isHelper(line.split(' '), () => undefined);

test.each([
  'gopls serve',
  '/usr/bin/rust-analyzer',
  'node /x/node_modules/.bin/typescript-language-server --stdio',
  'node /x/node_modules/typescript/lib/tsserver.js --useInferredProjectPerProjectRoot',
  '/usr/bin/python3 -m pylsp',
  'java -jar org.eclipse.equinox.launcher.jar -configuration x org.eclipse.jdt.ls.core',
  'node /x/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js /repo',
  'node /usr/lib/node_modules/npm/bin/npx-cli.js -y @modelcontextprotocol/server-github',
  'npm exec @modelcontextprotocol/server-github',
  'node /usr/lib/node_modules/npm/bin/npm-cli.js exec -- mcp-server-x',
  'uvx mcp-server-git --repository .',
  'uv run mcp-server-time',
  'python3 -m mcp_server_fetch',
  'docker run -i --rm -e TOKEN ghcr.io/github/github-mcp-server',
  '/home/u/.cargo/bin/my-mcp',
  '/usr/bin/env node /x/node_modules/.bin/mcp-server-filesystem /repo',
  '/usr/bin/env -S node --no-warnings /x/node_modules/.bin/mcp-server-filesystem',
  'env TOKEN=x python3 /v/bin/mcp-server-git',
  'vim notes.md',
  'npx -y typescript-language-server@4 --log-level 2',
  'bun x @acme/things-lsp',
  'pnpm dlx mcp-server-x',
  'yarn dlx @modelcontextprotocol/server-github',
  'npm x mcp-server-x',
  'uv tool run mcp-server-git',
  'go run github.com/acme/mcp-things@latest',
  'codex mcp-server',
  'codex --profile x mcp-server',
  'claude mcp serve',
  'node /x/node_modules/@anthropic-ai/claude-code/cli.js mcp serve',
  'gh mcp',
  'docker mcp gateway run',
  'dart language-server --protocol=lsp',
  'deno lsp',
  'biome lsp-proxy',
  'serena start-mcp-server --context ide',
  'ruff server',
  'npx @biomejs/biome lsp-proxy --stdio',
  'node /x/node_modules/pyright/langserver.index.js -- --node-ipc',
  'haskell-language-server-wrapper --lsp',
  'dotnet /x/Microsoft.CodeAnalysis.LanguageServer.dll --logLevel Information',
  'timeout 10 gopls',
  'timeout -k 5 --foreground 1h gopls serve',
  'nice -n 5 nohup mcp-server-x',
  'setsid stdbuf -o L env TOKEN=x uvx mcp-server-git',
  'taskset -c 0,1 clangd',
])('a helper: %s', (line) => {
  expect(helper(line)).toBe(true);
});

test.each([
  'sh -c npm run build',
  'bash -c cd /repo/mcp && make -j8',
  'make -C /home/u/mcp-server',
  'node /home/u/mcp-server/build.js',
  'npm run build',
  'uv run pytest tests/test_mcp.py',
  'docker build -t x/mcp .',
  '/opt/codex/vendor/x86_64/path/rg --json mcp',
  'cargo build',
  'npx tsc -p .',
  'git log --grep=mcp',
  'env',
  '/usr/bin/env node /home/u/mcp-server/build.js',
  'env MCP=mcp-server make',
  'rg mcp',
  'git mcp',
  'make mcp-server',
  'pytest lsp',
  'bash mcp',
  'go run ./cmd/build',
  'bun run build',
  'npm run build:mcp',
  'timeout 600 make -j8 gopls',
  'nice cargo build',
  'timeout',
  'ruff check mcp',
  'docker build mcp',
  'ls',
])('a tool: %s', (line) => {
  expect(helper(line)).toBe(false);
});

const NODE = '/usr/bin/node';
const program = (exe: string, line: string) => ({ exe, argv: line.split(' ') });

test.each([
  [
    'a worker of its package',
    NODE,
    'node /x/node_modules/bot/bin/bot.js',
    NODE,
    'node /x/node_modules/bot/lib/worker.js',
    true,
  ],
  ['itself with a flag', NODE, 'node /x/.bin/gemini', NODE, 'node --max-old-space-size=9 /x/.bin/gemini', true],
  ['a script beside it', NODE, 'node /home/u/bot/main.mjs', NODE, 'node /home/u/bot/worker.mjs', true],
  ['another program of a folder of programs', NODE, 'node /x/.bin/gemini', NODE, 'node /x/.bin/tsc', false],
  ['a script somewhere else', NODE, 'node /x/.bin/gemini', NODE, 'node /repo/build.js', false],
  [
    'a worker of multiprocessing',
    '/usr/bin/python3',
    'python3 /v/bin/aider',
    '/usr/bin/python3',
    'python3 -c from multiprocessing.spawn import spawn_main',
    true,
  ],
  ['a test', '/usr/bin/python3', 'python3 /v/bin/aider', '/usr/bin/python3', 'python3 -m pytest', false],
  ['its own executable', '/opt/claude.exe', '/x/.bin/claude', '/opt/claude.exe', 'claude --worker', true],
  ['its own executable as rg', '/opt/claude.exe', '/x/.bin/claude', '/opt/claude.exe', 'rg --json x', false],
  ['an executable of its package', '/n/codex/bin/codex', 'codex', '/n/codex/path/rg', 'rg x', false],
])('%s', (_what, exe, line, childExe, childLine, isSame) => {
  // A word of a command line that has spaces itself is the last one.
  const child = program(childExe, childLine);
  const at = child.argv.indexOf('-c');
  const argv = at < 0 ? child.argv : [...child.argv.slice(0, at + 1), child.argv.slice(at + 1).join(' ')];
  expect(isSameProgram(program(exe, line), { ...child, argv })).toBe(isSame);
});

test('of which the kernel shows no executable is not the same', () => {
  expect(isSameProgram({ exe: undefined, argv: ['a'] }, { exe: undefined, argv: ['a'] })).toBe(false);
});
