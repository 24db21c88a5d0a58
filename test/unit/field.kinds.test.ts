/**
 * More of each kind of process that `field.test.ts` has: as users of these agents, of their packages and of their tools start
 * them. A line is what ps shows; the executable stands behind it where it is another one.
 */
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const EXECUTABLES: Readonly<Record<string, string>> = { node: '/usr/bin/node', python3: '/usr/bin/python3.13' };

/** @param line a command line without quotes, or a title: one argument. */
function nameOf(
  line: string | readonly [title: string],
  exe?: string,
  env: readonly string[] = [],
): string | undefined {
  const argv = typeof line === 'string' ? line.split(' ') : line;
  const [first = ''] = argv;
  const facts = { ...NO_PROCESS, env: () => env, pid: 1, argv, exe: exe ?? EXECUTABLES[first] ?? first, comm: '' };
  return decide(facts, RULES).rule?.name;
}

interface Row {
  readonly agent: string | undefined;
  readonly line: string | readonly [title: string];
  readonly exe?: string | undefined;
  readonly env?: readonly string[];
}

type Given = readonly [agent: Row['agent'], line: Row['line'], exe?: Row['exe'], env?: readonly string[]];

const NONE = undefined;
const B = '/home/u/p/node_modules/.bin';
const M = '/usr/lib/node_modules';
const CURSOR = '/home/u/.local/bin/cursor-agent --use-system-ca /home/u/.local/share/cursor-agent/versions/1/index.js';
const PYCHARM = '/opt/pycharm/plugins/python/helpers/pydev/pydevd.py';

const KINDS: Readonly<Record<string, readonly Given[]>> = {
  'K1 decorated names': [
    ['codex', '/gnu/store/a/bin/.codex-real exec x'],
    ['codex', 'codex-0.169.0-alpha.3 exec x'],
    ['codex', 'codex-x86_64 exec x'],
    ['codex', '/home/u/bin/codex.x86_64'],
    ['codex', 'codex-nightly'],
    ['claude-code', 'claude-stable'],
    ['claude-code', 'claude-latest'],
    ['claude-code', 'claude-arm64'],
    ['claude-code', 'claude~'],
    ['opencode', 'opencode-beta'],
    ['opencode', '/opt/opencode-linux-x64-baseline-musl'],
    ['goose', 'goose-canary session'],
    [NONE, 'claude-proxy'],
    [NONE, 'claude-monitor'],
    [NONE, 'claude-1.0-proxy'],
    [NONE, 'claude-usage-2.0.1'],
    [NONE, 'opencode-worker-raw'],
  ],
  'K2 modules and files of Python': [
    ['aider', 'python3 aider/main.py'],
    ['aider', 'python3 /home/u/v/lib/python3.12/site-packages/aider'],
    ['hermes', 'python3 hermes_cli/main.py gateway run'],
    ['openhands', 'python3 -m openhands.cli.main'],
    ['mini-swe-agent', 'python3 -m minisweagent.run.mini'],
    [NONE, 'python3 -m hermes_cli.main mcp serve'],
    [NONE, 'python3 -m pytest aider'],
  ],
  'K3 titles': [
    ['claude-code', ['claude: idle'], '/home/u/.local/share/claude/versions/2.1.330'],
    ['opencode', [`bun ${B}/opencode serve`], '/usr/bin/bun'],
    ['claude-code', [`node  ${B}/claude   `], '/usr/bin/node'],
    [NONE, ['claude mcp serve'], '/home/u/.local/share/claude/versions/2.1.330'],
    [NONE, ['sshd: claude [priv]'], '/usr/sbin/sshd'],
    [NONE, ['gunicorn: master [aider]'], '/usr/bin/python3.13'],
  ],
  'K4 packages': [
    ['gemini-cli', 'dx npm:@google/gemini-cli'],
    ['gemini-cli', 'deno run -A npm:@google/gemini-cli@^0.61 -p x'],
    ['openclaw', 'node /home/u/.bun/install/cache/openclaw@2026.9.6@@@1/dist/entry.js gateway'],
    ['codex', `node /x/node_modules/.pnpm/@openai+codex@0.169.0/node_modules/@openai/codex/bin/codex.js`],
    [NONE, 'deno run -A npm:cowsay claude'],
    [NONE, 'deno compile -A npm:@google/gemini-cli'],
    [NONE, 'deno run -A npm:@anthropic-ai/claude-code mcp serve'],
  ],
  'K5 launchers': [
    [NONE, 'bun --bun run claude'],
    [NONE, 'bun --cwd /x run claude'],
    [NONE, 'codex', '/usr/bin/dotslash'],
    [NONE, 'claude', '/usr/bin/devbox'],
    [NONE, `node ${B}/tsx ${B}/claude`],
    ['gemini-cli', `bun --bun ${B}/gemini`],
  ],
  'K6 modes': [
    ...['claude -v', 'codex -V', 'opencode -v', 'goose configure', 'goose info', 'goose update', 'goose -V'],
    ...[
      'goose schedule list',
      'goose recipe validate x',
      'goose session list',
      'goose term init zsh',
      'openclaw doctor',
    ],
    ...[
      'openclaw onboard',
      'openclaw gateway status',
      'openclaw config get x',
      'openclaw plugins list',
      'kiro-cli login',
    ],
    ...['kiro-cli doctor', 'plandex sign-in', 'qodercli update', 'codex app-server generate-ts', `${CURSOR} login`],
    ...[`${CURSOR} mcp list`, `${CURSOR} -v`, `node ${M}/@github/copilot/copilot/lsp/index.js --stdio`],
    ...['update', 'install npm:x', 'list'].map((command) => `node ${B}/pi ${command}`),
    ...['--list-extensions', '-v', '--list-sessions', '-l'].map((option) => `node ${B}/gemini ${option}`),
    ...['doctor', 'update', 'setup', 'gateway status'].map((command) => `python3 /home/u/v/bin/hermes ${command}`),
    ...['python3 /home/u/v/bin/aider --list-models gpt', `node ${B}/auggie login`, `node ${B}/kimi login`],
    ...['/home/u/.amp/bin/amp login', '/home/u/.amp/bin/amp threads list', '/home/u/go/bin/crush update-providers'],
  ].map((line): Given => [NONE, line]),
  'K6 agents beside these modes': [
    ['goose', 'goose acp'],
    ['goose', 'goose session --resume'],
    ['openclaw', 'openclaw gateway --port 18789'],
    ['openclaw', 'openclaw gateway run'],
    ['openclaw', 'openclaw agent -m hi'],
    ['hermes', 'python3 /home/u/v/bin/hermes gateway run'],
    ['codex', 'codex app-server --listen unix:///run/x'],
    ['amp', '/home/u/.amp/bin/amp threads continue x'],
    ['crush', '/home/u/go/bin/crush run hi'],
    ['aider', 'python3 /home/u/v/bin/aider -v'],
    ['aider', 'python3 -v /home/u/v/bin/aider'],
    ['pi', `node ${B}/pi -p list`],
    ['cursor-agent', CURSOR],
  ],
  'K7 words that are commands to others': [
    ['codex', 'codex -- login'],
    ['aider', 'python3 /home/u/v/bin/aider daemon'],
    ['copilot', 'copilot -i task'],
    ['goose', 'goose run --recipe status'],
    ['claude-code', 'claude --append-system-prompt mcp'],
    ['opencode', 'opencode run --model x stats'],
    [NONE, 'copilot svc deploy --env x'],
    [NONE, 'goose -dir db/migrations status'],
  ],
  'K8 names that others have': [
    [NONE, 'python3 /usr/bin/hermes harvest'],
    [NONE, 'node /srv/bots/claude/index.js'],
    [NONE, '/opt/Codex/codex --type=zygote --no-zygote-sandbox'],
    [NONE, '/usr/bin/pi 1000'],
  ],
  'K10 folders': [
    ['claude-code', 'node claude-code/cli.js'],
    ['claude-code', 'node /opt/x/claude-code/cli.mjs'],
    ['claude-code', 'node node_modules/.bin/claude'],
    ['claude-code', 'node /home/u/happy/scripts/claude_remote_launcher.cjs'],
    ['codex', '/home/u/codex/codex-rs/target/release/codex-exec x'],
    ['codex', 'codex-app-server'],
    ['gemini-cli', 'node /home/u/gemini-cli/packages/cli/dist/index.js'],
    ['gemini-cli', 'node /home/u/gemini-cli/packages/cli'],
    ['qwen-code', 'node /home/u/qwen-code/packages/cli/dist/index.js'],
    ['qwen-code', 'node /home/u/.vscode/extensions/qwenlm.x-0.1/dist/qwen-cli/cli.js'],
    ['opencode', 'bun run --conditions=browser /home/u/opencode/packages/opencode/src/index.ts'],
    ['openclaw', 'node /home/u/openclaw/dist/index.js gateway'],
    ['kilo', '/home/u/.vscode/extensions/kilocode.kilo-code-7.0/bin/kilo serve'],
    [NONE, 'node /srv/x/cli.js'],
    [NONE, 'node /srv/x/dist/index.js gateway'],
    [NONE, 'node /home/u/claude-code/scripts/build.js'],
  ],
  'K12 what is seen through': [
    ['aider', 'python3 -m ipdb -c c /home/u/v/bin/aider'],
    ['aider', 'python3 -m pudb /home/u/v/bin/aider'],
    ['aider', 'python3 -m kernprof -l /home/u/v/bin/aider'],
    ['aider', 'python3 -m memory_profiler /home/u/v/bin/aider'],
    ['aider', 'python3 -m IPython /home/u/v/bin/aider'],
    ['aider', `python3 ${PYCHARM} --multiprocess --client 127.0.0.1 --port 3 --file /home/u/v/bin/aider --model x`],
    ['aider', `python3 ${PYCHARM} --module --multiprocess --client 127.0.0.1 --port 3 --file aider`],
    ['codex', 'blink /opt/bin/codex'],
    ['codex', 'qemu-riscv64-static -0 codex /opt/codex exec x'],
    ['claude-code', '/usr/bin/valgrind --tool=memcheck /opt/bin/claude', '/usr/libexec/valgrind/memcheck-amd64-linux'],
    ['gemini-cli', `nsolid ${B}/gemini`],
    ['claude-code', '/opt/Obsidian/obsidian /x/claude-code/cli.js', undefined, ['ELECTRON_RUN_AS_NODE']],
    [NONE, 'python3 -m timeit aider'],
    [NONE, 'node_exporter claude'],
  ],
};

for (const [kind, rows] of Object.entries(KINDS))
  test.each(rows.map(([agent, line, exe, env = []]): Row => ({ agent, line, exe, env })))(
    `${kind}: $agent is $line`,
    ({ agent, line, exe, env }) => {
      expect(nameOf(line, exe, env)).toBe(agent);
    },
  );
