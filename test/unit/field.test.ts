/** Processes that people who find agents on hosts met: each case with what it is, as taut must decide. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const NODE = '/usr/bin/node';
const PYTHON = '/usr/bin/python3.13';
const M = '/usr/lib/node_modules';
const BIN = '/home/u/p/node_modules/.bin';
const NIX = '/nix/store/abc-x-1.0/bin';

interface Case {
  readonly argv: readonly string[];
  readonly exe?: string;
  readonly env?: readonly string[];
}

function nameOf({ argv, exe = argv[0] ?? '', env = [] }: Case): string | undefined {
  return decide({ ...NO_PROCESS, env: () => env, pid: 1, argv, exe, comm: '' }, RULES).rule?.name;
}

/** A command line as a shell reads it, without quotes. */
const line = (text: string, exe?: string): Case => ({ argv: text.split(' '), ...(exe === undefined ? {} : { exe }) });
/** One string in the place of the arguments. */
const title = (text: string, exe: string): Case => ({ argv: [text], exe });

const AGENTS: [string, Case][] = [
  // K1: decorated names
  ['claude-code', line(`${NIX}/.claude-unwrapped`)],
  ['claude-code', line('.claude-wrapped --resume')],
  ['codex', line('codex-raw')],
  ['gemini-cli', line(`node ${NIX}/.gemini-wrapped`, NODE)],
  ['claude-code', line('.claude-wrapped_ -p x')],
  ['codex', line('/opt/codex/codex-x86_64-unknown-linux-musl exec x')],
  ['opencode', line('/home/u/opencode-linux-arm64-musl')],
  ['codex', line('/home/u/bin/codex_0.169.0_linux_amd64')],
  ['codex', line('/home/u/bin/codex-v0.169.0-linux-x64 exec x')],
  ['goose', line('/home/u/bin/goose-1.9.3 session')],
  ['claude-code', line('/home/u/bin/claude.old -p x')],
  ['claude-code', line(`${NIX}/.claude-wrapped_1 -p x`)],
  ['aider', line(`${NIX}/.python3.12-wrapped ${NIX}/.aider-wrapped`, PYTHON)],
  ['gemini-cli', line(`${NIX}/.node-wrapped ${M}/@google/gemini-cli/dist/index.js`, NODE)],
  // K2: a Python package's module or file
  ['hermes', line('python -m hermes_cli.main gateway run', PYTHON)],
  ['hermes', line('python -m tui_gateway.entry', PYTHON)],
  [
    'hermes',
    line('/home/u/.hermes/hermes-agent/venv/bin/python /home/u/.hermes/hermes-agent/hermes_cli/main.py', PYTHON),
  ],
  ['hermes', line('python3 -Im hermes_cli', PYTHON)],
  ['aider', line('python3 /home/u/v/lib/python3.12/site-packages/aider/main.py --model x', PYTHON)],
  ['aider', line('python3 -m aider.main', PYTHON)],
  ['hermes', line('python3 /x/site-packages/tui_gateway/entry.py', PYTHON)],
  // K3: a title that is a command line
  ['openclaw', title(`node ${M}/openclaw/openclaw.mjs`, NODE)],
  ['hermes', title('python3 -m hermes_cli.main gateway run', PYTHON)],
  ['claude-code', title(`node --max-old-space-size=512 ${M}/@anthropic-ai/claude-code/cli.js --resume`, NODE)],
  ['openclaw', title('node /home/my user/node_modules/openclaw/openclaw.mjs gateway', NODE)],
  ['claude-code', title('claude --resume', '/home/u/.local/share/claude/versions/2.1.330')],
  ['openclaw', title('openclaw-gateway serving 12', NODE)],
  ['hermes', title('hermes: gateway', PYTHON)],
  ['claude-code', title('claude', NODE)],
  ['openclaw', title('openclaw-gateway serving 12', '/usr/bin/node (deleted)')],
  ['openclaw', title(`node ${M}/openclaw/openclaw.mjs`, '/usr/bin/node (deleted)')],
  // K4: package specifications
  ['claude-code', line('deno run -A npm:@anthropic-ai/claude-code')],
  ['gemini-cli', line('deno -A npm:@google/gemini-cli@latest')],
  ['gemini-cli', line('deno run --allow-all npm:@google/gemini-cli@0.61.0/gemini -p x')],
  ['openclaw', line('deno run -A npm:openclaw gateway')],
  ['claude-code', line('node /home/u/.bun/install/cache/@anthropic-ai/claude-code@2.0.0@@@1/cli.js', NODE)],
  ['qwen-code', line('deno run -A /root/.cache/deno/npm/npm.example/@qwen-code/qwen-code/0.24.0/cli.js')],
  // K5: what the launchers start
  ['codex', line(`node ${BIN}/codex`, NODE)],
  ['claude-code', line(`node ${M}/@anthropic-ai/claude-code/cli.js`, NODE)],
  // K6, K7: commands, and values that are like them
  ['copilot', line('copilot -p deploy')],
  ['copilot', line('copilot --model gpt-5 -p svc')],
  ['goose', line('goose session -n up')],
  ['goose', line('goose run -t status')],
  ['claude-code', { argv: ['claude', 'daemon status'] }],
  ['claude-code', line('claude --model mcp')],
  ['codex', line('codex exec mcp-server')],
  ['codex', line('codex -c model=x app-server')],
  ['cline', line('cline --cline-hub-daemon')],
  ['claude-code', line('claude -p doctor')],
  ['claude-code', line('claude --print update')],
  ['claude-code', { argv: ['claude', 'update the docs'] }],
  ['codex', line('codex resume --last')],
  ['codex', line('codex -C login exec x')],
  ['opencode', line('opencode /srv/auth')],
  ['opencode', line('opencode web')],
  // K9: options with values
  ['claude-code', line(`node --localstorage-file /tmp/x ${BIN}/claude`, NODE)],
  ['claude-code', line(`node --heapsnapshot-signal SIGUSR2 ${BIN}/claude`, NODE)],
  ['claude-code', line(`node --tls-cipher-list X --allow-fs-read /x ${BIN}/claude`, NODE)],
  ['opencode', line(`bun --port 3000 ${BIN}/opencode`)],
  ['opencode', line(`bun run --conditions dev ${BIN}/opencode`)],
  ['opencode', line(`deno --lock l.json ${BIN}/opencode`)],
  ['opencode', line(`deno run -L debug ${BIN}/opencode`)],
  // K10: a known script in an unknown folder
  [
    'claude-code',
    line('node /home/u/.vscode/extensions/anthropic.claude-code-2.0.1/resources/claude-code/cli.js', NODE),
  ],
  ['claude-code', line('node /home/u/happy/scripts/claude_local_launcher.cjs', NODE)],
  ['claude-code', line(`node ${M}/@anthropic-ai/claude-agent-sdk/cli.js --output-format stream-json`, NODE)],
  ['opencode', line('/opt/OpenCode/opencode-cli serve')],
  ['codex', line('node /home/u/src/codex/codex-cli/bin/codex.js', NODE)],
  ['gemini-cli', line('node /home/u/src/gemini-cli/bundle/gemini.js', NODE)],
  ['openclaw', line('node openclaw.mjs gateway', NODE)],
  // K12: seen through more
  ['aider', line('/usr/bin/python3.13t -m aider')],
  ['aider', line('graalpy -m aider')],
  ['claude-code', line(`bun-profile ${BIN}/claude`)],
  ['claude-code', line('qemu-x86_64-static /home/u/.local/bin/claude', '/usr/bin/qemu-x86_64-static')],
  ['claude-code', line('/usr/bin/qemu-aarch64 -L /usr/aarch64-linux-gnu /home/u/.local/bin/claude -p x')],
  ['claude-code', line('box64 /home/u/.local/bin/claude')],
  ['claude-code', line('/run/rosetta/rosetta /home/u/.local/bin/claude /home/u/.local/bin/claude')],
  ['aider', line('python3 -m debugpy --listen 5678 --wait-for-client -m aider', PYTHON)],
  ['aider', line('python3 -m cProfile -o out.prof -m aider --model x', PYTHON)],
  ['aider', line('python3 -m coverage run -m aider', PYTHON)],
  ['aider', line('python3 /x/libs/debugpy/__main__.py --connect 127.0.0.1:5 --configure-qt none -m aider', PYTHON)],
  ['gemini-cli', line(`/usr/bin/qemu-x86_64-static /usr/bin/node node ${BIN}/gemini`, '/usr/bin/qemu-x86_64-static')],
  ['aider', line('python3 -m pdb -c continue /home/u/v/bin/aider', PYTHON)],
  [
    'claude-code',
    {
      argv: ['/usr/share/code/code', '/home/u/.vscode/extensions/anthropic.x/resources/claude-code/cli.js'],
      env: ['HOME', 'ELECTRON_RUN_AS_NODE'],
    },
  ],
  [
    'gemini-cli',
    line(`/usr/share/cursor/cursor --ms-enable-electron-run-as-node ${M}/@google/gemini-cli/dist/index.js`),
  ],
  ['gemini-cli', line(`electron ${M}/@google/gemini-cli/dist/index.js`)],
  // Right before, and to stay so.
  ['codex', line('/etc/profiles/per-user/u/bin/codex', `${NIX}/.codex-wrapped`)],
  ['openclaw', line(`node --max-old-space-size=7722 ${M}/openclaw/dist/index.js gateway`, NODE)],
  ['claude-code', line('/home/u/.local/share/claude/versions/2.1.330')],
  ['claude-code', line('/tmp/.mount_claudeAbC/usr/bin/claude --continue')],
  ['claude-code', { argv: ['/home/my user/bin/claude', '-p'], exe: '/home/my user/bin/claude' }],
  ['claude-code', { argv: ['./my dir/claude'], exe: '/home/u/my dir/claude' }],
  ['claude-code', line('claude', '/home/u/.local/bin/claude (deleted)')],
  ['claude-code', line(`${M}/@anthropic-ai/claude-agent-sdk-linux-x64/claude --output-format stream-json --verbose`)],
];

test.each(AGENTS)('%s is %j', (agent, one) => {
  expect(nameOf(one)).toBe(agent);
});

const OTHERS: Case[] = [
  // K5: launchers, whose child is the agent
  line('bun run claude'),
  line('bun claude'),
  line('bun x claude'),
  line('bun --filter app claude'),
  line('bunx @openai/codex'),
  line('bunx --bun codex'),
  line('deno task claude'),
  line('deno install -g npm:@openai/codex'),
  line('node --run claude', NODE),
  line('claude', '/home/u/.volta/bin/volta-shim'),
  line('codex exec x', '/usr/bin/mise'),
  line('aider', '/home/u/.asdf/bin/asdf'),
  // K6: other modes of an agent's binary
  line('claude --chrome-native-host'),
  line('claude mcp serve'),
  line('claude --debug-file /tmp/x mcp serve'),
  line('claude --verbose --model opus mcp serve'),
  line('claude daemon run --origin transient'),
  line('codex mcp-server'),
  line('codex -c model=o3 mcp-server'),
  line('codex --config model=o3 mcp-server'),
  line(`node ${BIN}/codex mcp-server`, NODE),
  line(`node ${M}/@openai/codex/bin/codex.js mcp-server`, NODE),
  line('goose mcp developer'),
  line(`node ${M}/@openai/codex/scripts/preinstall.js`, NODE),
  line(`node ${M}/@anthropic-ai/claude-code/install.cjs`, NODE),
  line(`node ${M}/openclaw/scripts/postinstall.js`, NODE),
  line('claude doctor'),
  line('claude update'),
  line('claude --verbose plugin list'),
  line('codex -m o3 login status'),
  line(`node ${M}/@openai/codex/bin/codex.js completion zsh`, NODE),
  line('codex features list'),
  line(`node ${BIN}/gemini extensions list`, NODE),
  line('opencode attach http://127.0.0.1:4096'),
  line('opencode auth login'),
  line('claude -h'),
  line(`node ${M}/@google/gemini-cli/bundle/bundled/chrome-devtools-mcp.mjs`, NODE),
  line(`node ${M}/@google/gemini-cli/bundle/examples/mcp-server/example.js`, NODE),
  line(`node ${M}/@qwen-code/qwen-code/fzfWorker.js`, NODE),
  // K7: other programs of the name
  line('goose status'),
  line('goose validate'),
  line('goose -v up'),
  line('goose -table x -dir migrations postgres y up'),
  line('copilot --name x svc deploy'),
  // K8: names that others have
  line('crush', '/usr/bin/crush'),
  line('-crush', '/usr/bin/crush'),
  line('node /srv/app/extensions/copilot --locale en', NODE),
  line('node /srv/app/extensions/gemini', NODE),
  line('python3 /srv/app/aider', PYTHON),
  line('/tmp/.mount_CodexAbC/codex --type=renderer --x'),
  line('/opt/Claude/Claude --type=gpu-process'),
  line('/opt/Claude/Claude --no-sandbox --type=utility'),
  title('claude: monitor dashboard', NODE),
  title('codex usage exporter', NODE),
  title('gemini: dashboard', NODE),
  title('qwen code statistics', '/usr/bin/statistics'),
  title(`node ${M}/openclaw/openclaw.mjs`, '/usr/bin/watcher'),
  line('code /home/u/node_modules/@anthropic-ai/claude-code/cli.js', '/usr/share/code/code'),
  line('vim /home/u/node_modules/@anthropic-ai/claude-code/cli.js', '/usr/bin/vim'),
  line('qemu-system-x86_64 -name claude'),
  line('python3 -m debugpy --listen 5678 -m http.server', PYTHON),
  line('python3 -m cProfile -o aider x.py', PYTHON),
  line('python3 /home/u/codex/main.py', PYTHON),
  // Right before, and to stay so.
  line('bun install -g @openai/codex'),
  line('pnpm dlx @openai/codex'),
  title('npm exec @openai/codex', NODE),
  line('timeout 5 claude'),
  line('strace -f claude'),
  line('java -jar codex.jar'),
  line('gdb claude', '/usr/bin/gdb'),
  line('node shared/config/agents/opencode.ts', NODE),
  line('rg x', '/home/u/.local/share/claude/versions/2.1.330'),
  line('ugrep x', `${M}/@anthropic-ai/claude-agent-sdk-linux-x64/claude`),
  line('codex-linux-sandbox', '/home/u/.codex/bin/codex'),
  line('apply_patch', '/home/u/.codex/bin/codex'),
  line('codex-exec-server', '/home/u/.codex/bin/codex'),
  line('codex-code-mode-host'),
  line('node sdk.mjs', NODE),
  line('copilot-language-server --stdio'),
  line('claude-code-mcp'),
  title('npm exec @modelcontextprotocol/server-filesystem', NODE),
  // K11: like agents that have a rule
  line('grok -f /etc/grok.conf', '/usr/bin/grok'),
  line('vibe', '/usr/bin/vibe'),
  line('/opt/x/agent --config x'),
  line('code', '/usr/share/code/code'),
  line('java -jar droid.jar'),
  title('zsh (kiro-cli-term)', '/usr/bin/zsh'),
  line('kilo notes.txt', '/usr/bin/kilo'),
  line(
    '/home/u/.local/bin/agent --use-system-ca /home/u/.local/share/cursor-agent/versions/1/index.js worker-server',
    '/home/u/.local/share/cursor-agent/versions/1/node',
  ),
  line(`node ${BIN}/claude-agent-acp`, NODE),
];

test.each(OTHERS)('%j is no agent', (one) => {
  expect(nameOf(one)).toBeUndefined();
});

/** K11: agents that no rule named, as they were seen running or as reports show them. */
const COVERED: [string, Case][] = [
  ['grok-build', line(`${BIN}/grok`, `${M}/@xai-official/grok/bin/grok-native`)],
  ['droid', line(`${BIN}/droid`, `${M}/droid/bin/droid`)],
  ['kimi-code', line(`node ${BIN}/kimi`, NODE)],
  ['auggie', line(`node ${BIN}/auggie`, NODE)],
  ['qodercli', line(`node ${BIN}/qodercli`, NODE)],
  [
    'cursor-agent',
    line(
      '/home/u/.local/bin/agent --use-system-ca /home/u/.local/share/cursor-agent/versions/1/index.js',
      '/home/u/.local/share/cursor-agent/versions/1/node',
    ),
  ],
  ['kiro-cli', line('kiro-cli')],
  ['kiro-cli', line('kiro-cli-chat chat')],
  ['pi', line(`node ${M}/@earendil-works/pi-coding-agent/dist/cli.js`, NODE)],
  ['pi', line(`node ${M}/@earendil-works/pi-coding-agent/dist/bundle/cli.js`, NODE)],
  ['kilo', line(`${M}/@kilocode/cli-linux-x64/bin/kilo`)],
  ['codex-acp', line(`node ${BIN}/codex-acp`, NODE)],
  ['codex-acp', line(`${M}/@zed-industries/codex-acp-linux-x64/bin/codex-acp`)],
  ['cosh-shell', line('cosh-core')],
  ['devin', line('devin')],
  ['letta', line(`node ${BIN}/letta`, NODE)],
  ['letta', line('python3 /home/u/v/bin/letta', PYTHON)],
  ['plandex', line('plandex')],
  ['openhands', line('python3 /home/u/v/bin/openhands', PYTHON)],
  ['gptme', line('python3 /home/u/v/bin/gptme', PYTHON)],
  ['mini-swe-agent', line('python3 /home/u/v/bin/mini', PYTHON)],
  ['vibe', line('python3 /home/u/v/bin/vibe', PYTHON)],
  ['trae-cli', line('python3 /home/u/v/bin/trae-cli', PYTHON)],
  ['copilot-shell', line('node /usr/lib/copilot-shell/cli.js', NODE)],
  ['goosed', line('goosed agent')],
  ['crush', line('crush', '/home/u/go/bin/crush')],
];

test.each(COVERED)('%s is %j, too', (agent, one) => {
  expect(nameOf(one)).toBe(agent);
});

test('a crush that talks to a model is the agent of that name', () => {
  const facts = { ...NO_PROCESS, pid: 1, argv: ['crush'], exe: '/usr/bin/crush', comm: 'crush' };
  expect(decide({ ...facts, names: ['api.anthropic.com'] }, RULES).rule?.name).toBe('crush');
});

const DECORATIONS = [
  (name: string) => `.${name}-wrapped`,
  (name: string) => `.${name}-wrapped_`,
  (name: string) => `.${name}-wrapped__`,
  (name: string) => `.${name}-unwrapped`,
  (name: string) => `${name}-unwrapped`,
  (name: string) => `${name}-raw`,
  (name: string) => `${name}.real`,
  (name: string) => `${name}.old`,
  (name: string) => `${name}-1.20.3`,
  (name: string) => `${name}_v1.20.3_linux_amd64`,
  (name: string) => `${name}-x86_64-unknown-linux-musl`,
  (name: string) => `${name}-aarch64-unknown-linux-gnu`,
  (name: string) => `${name}-linux-x64`,
  (name: string) => `${name}-linux-arm64-musl`,
  (name: string) => `${name}_linux_amd64`,
];
const NAMES = [...new Set(BUILTIN_RULES.flatMap(({ program = [] }) => [program].flat()))];
const INTERPRETERS = ['node', 'python3', 'python3.13t', 'bun', 'deno'];

test('a decorated name decides as its plain name: each of every rule, alone and behind each interpreter', () => {
  for (const name of NAMES)
    for (const decorate of DECORATIONS)
      for (const before of [[], ...INTERPRETERS.map((one) => [one]), ['/usr/bin/box64']])
        for (const folder of ['/home/u/.bin/', '/srv/x/']) {
          const of = (it: string) => ({ argv: [...before, folder + it], exe: before[0] ?? folder + it });
          expect(nameOf(of(decorate(name))), decorate(name)).toBe(nameOf(of(name)));
        }
});

test('a decorated interpreter decides as the plain one', () => {
  const scripts = AGENTS.filter(([, { argv }]) => INTERPRETERS.includes(argv[0] ?? ''));
  expect(scripts.length).toBeGreaterThan(20);
  for (const [agent, one] of scripts)
    for (const decorate of DECORATIONS)
      expect(nameOf({ ...one, argv: [decorate(one.argv[0] ?? ''), ...one.argv.slice(1)] })).toBe(agent);
});

test('a package that is specified decides as the same one that is installed', () => {
  const packages = BUILTIN_RULES.filter(({ id }) => id.endsWith('-npm')).flatMap((rule) => [rule.package ?? []].flat());
  const part = fc.stringMatching(/^[a-z0-9.-]{0,8}$/);
  fc.assert(
    fc.property(fc.constantFrom(...packages), part, part, (one, version, bin) => {
      const text = `npm:${one}${version && `@${version}`}${bin && `/${bin}`}`;
      const installed = nameOf(line(`deno run /x/node_modules/${one}/main.js`));
      expect(nameOf({ argv: ['deno', 'run', '-A', text], exe: '/usr/bin/deno' })).toBe(installed);
      expect(nameOf({ argv: ['deno', text], exe: '/usr/bin/deno' })).toBe(installed);
    }),
  );
});
