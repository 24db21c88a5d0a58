/** The process shapes of real agents, recorded from running each; and look-alikes that are none. */
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const NODE = '/opt/node24/bin/node';
const name = (argv: string[], exe = argv[0], comm = 'MainThread') =>
  decide({ ...NO_PROCESS, pid: 1, argv, exe, comm }, RULES).rule?.name;

const M = '/home/u/.npm-global/lib/node_modules';

const V = '/home/u/v/lib/python3.12/site-packages';

const AGENTS: [string, string[], string?][] = [
  ['claude-code', ['/home/u/p/node_modules/.bin/claude'], `${M}/@anthropic-ai/claude-code/bin/claude.exe`],
  ['claude-code', ['/usr/local/bin/claude', '-p', 'hello']],
  ['claude-code', ['claude'], '/home/u/.local/share/claude/versions/2.1.330'],
  ['claude-code', ['/home/u/.local/share/claude/versions/2.1.330', '--resume']],
  ['claude-code', ['node', `${M}/@anthropic-ai/claude-code/cli.js`], NODE],
  ['claude-code', ['node', '--max-old-space-size=512', `${M}/@anthropic-ai/claude-code/cli.js`], NODE],
  ['codex', [`${M}/@openai/codex/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex`]],
  ['codex', ['codex', 'app-server', '--listen', 'unix:///run/x.sock']],
  ['codex', ['node', '/home/u/p/node_modules/.bin/codex'], NODE],
  ['gemini-cli', ['node', '/home/u/p/node_modules/.bin/gemini'], NODE],
  ['gemini-cli', [NODE, '--max-old-space-size=4096', '/home/u/p/node_modules/.bin/gemini'], NODE],
  ['qwen-code', [NODE, '--expose-gc', `${M}/@qwen-code/qwen-code/cli.js`], NODE],
  ['copilot', ['/home/u/p/node_modules/@github/copilot-linux-x64/copilot']],
  ['copilot', ['node', '/home/u/p/node_modules/.bin/copilot'], NODE],
  ['continue', ['node', '/home/u/p/node_modules/.bin/cn'], NODE],
  ['opencode', ['/home/u/p/node_modules/.bin/opencode'], `${M}/opencode-linux-x64/bin/opencode.exe`],
  ['cline', ['cline', '--cline-hub-daemon'], '/home/u/.cline/bin/cline'],
  ['openclaw', ['openclaw-gateway'], NODE],
  ['openclaw', ['openclaw-agent  '], NODE],
  ['openclaw', ['node', `${M}/openclaw/openclaw.mjs`], NODE],
  ['aider', ['/home/u/v/bin/python3', '/home/u/v/bin/aider', '--model', 'x'], '/usr/bin/python3.11'],
  ['aider', ['python3', '-m', 'aider'], '/usr/bin/python3.11'],
  ['hermes', ['/home/u/v/bin/python3', '/home/u/v/bin/hermes'], '/usr/bin/python3.11'],
  ['hermes', ['python3', '-Im', 'hermes.cli'], '/usr/bin/python3.11'],
  ['aider', ['python3', '/home/u/v/lib/python3.11/site-packages/aider/__main__.py'], '/usr/bin/python3.11'],
  ['codex', ['codex', 'pid-update-loop', '4711'], '/home/u/.codex/bin/codex'],
  ['codex', ['node', `${M}/@openai/codex/bin/codex.js`, 'exec', 'fix it'], NODE],
  ['gemini-cli', ['node', `${M}/@google/gemini-cli/dist/index.js`], NODE],
  ['copilot', ['copilot', '-p', 'say why the build fails'], '/home/u/.local/bin/copilot'],
  ['copilot', ['node', `${M}/@github/copilot/npm-loader.js`], NODE],
  ['continue', ['node', `${M}/@continuedev/cli/dist/cn.js`], NODE],
  ['openclaw', ['openclaw'], NODE],
  [
    'claude-code',
    ['/lib64/ld-linux-x86-64.so.2', '--library-path', '/x/lib', '/x/bin/claude'],
    '/lib64/ld-linux-x86-64.so.2',
  ],
  ['claude-code', ['node', '--import=tsx', '--env-file', '.env', `${M}/@anthropic-ai/claude-code/cli.js`], NODE],
  ['goose', ['goose', 'session'], '/home/u/.local/bin/goose'],
  ['goose', ['goose'], '/home/u/.local/bin/goose'],
  ['amp', ['amp'], '/home/u/.amp/bin/amp'],
  ['amp', ['node', '/home/u/p/node_modules/.bin/amp'], NODE],
  ['crush', ['crush'], '/usr/lib/node_modules/@charmland/crush/bin/crush'],
  ['kilo', [`${M}/@kilocode/cli/bin/.kilo`]],
  ['kimi-code', ['kimi-code      '], NODE],
  ['grok-cli', ['node', '/home/u/p/node_modules/.bin/grok'], NODE],
  ['grok-build', ['/home/u/p/node_modules/.bin/grok'], `${M}/@xai-official/grok/bin/grok-native`],
  ['nanocoder', ['node', '/home/u/p/node_modules/.bin/nanocoder'], NODE],
  ['letta', [`${V}/letta_code/_payload/bin/node`, `${V}/letta_code/_payload/app/letta.js`]],
  ['vibe', ['/home/u/v/bin/python', '/home/u/v/bin/vibe-app-server'], '/usr/bin/python3.12'],
  ['nanobot', ['nanobot-agent    '], '/usr/bin/python3.12'],
  ...['cecli', 'clai', 'code-puppy', 'fast-agent', 'ra-aid', 'tunacode'].map((agent): [string, string[], string] => [
    agent,
    ['/home/u/v/bin/python', `/home/u/v/bin/${agent}`],
    '/usr/bin/python3.12',
  ]),
  ['deepagents', ['/home/u/v/bin/python', '/home/u/v/bin/deepagents-code'], '/usr/bin/python3.12'],
  ['open-interpreter', ['/home/u/v/bin/python', '/home/u/v/bin/interpreter'], '/usr/bin/python3.12'],
];

test.each(AGENTS)('%s is found as %j', (agent, argv, exe) => {
  expect(name(argv, exe ?? argv[0])).toBe(agent);
});

const OTHERS: [string[], string?][] = [
  [['node', '/usr/lib/node_modules/corepack/dist/bin/corepack'], NODE],
  [['node', '/home/u/p/node_modules/.bin/coffee'], NODE],
  [['python3', '/home/u/hermes-docs/build.py'], '/usr/bin/python3.11'],
  [['claude-anything'], '/usr/local/bin/claude-anything'],
  [['vim', 'claude.md'], '/usr/bin/vim'],
  [['grep', 'claude'], '/usr/bin/grep'],
  [['bash', './claude-backup.sh'], '/usr/bin/bash'],
  [['/bin/sh', '-c', 'claude -p hi'], '/usr/bin/dash'],
  [['node', '/srv/agent-dashboard/server.js'], NODE],
  [['node', '-e', 'claude'], NODE],
  [['python3', '-c', 'import aider'], '/usr/bin/python3.11'],
  [['sudo', 'claude'], '/usr/bin/sudo'],
  [['npm', 'exec', 'claude'], NODE],
  [['tail', '-f', '/var/log/codex'], '/usr/bin/tail'],
  [[], '/usr/bin/x'],
  [['cat', '/usr/bin/claude'], '/usr/bin/cat'],
  [['npm install @openai/codex'], NODE],
  [['node', '/usr/bin/npm', 'install', '@openai/codex'], NODE],
  [['git', 'clone', 'https://git.example/google/gemini-cli'], '/usr/bin/git'],
  [['docker', 'run', '--rm', 'x', 'goose'], '/usr/bin/docker'],
  [['uv', 'run', 'aider'], '/usr/bin/uv'],
  [['npx', '@openai/codex'], NODE],
  [['timeout', '5', 'claude'], '/usr/bin/timeout'],
  [['python3', 'claude.py'], '/usr/bin/python3.11'],
  [['node', '/srv/claude/server.js'], NODE],
  [['node', '/srv/gemini.js'], NODE],
  [['node', '--eval=1', 'claude'], NODE],
  [['python3', '-uc', 'pass', 'aider'], '/usr/bin/python3.11'],
  // Found in the packages, started by the agents: their tools.
  [[`${M}/@anthropic-ai/claude-code/vendor/ripgrep/x64-linux/rg`, 'x']],
  [['rg', 'x'], '/home/u/.local/share/claude/versions/2.1.330'],
  // Others of the same name.
  [['goose', 'postgres', 'user=x', 'up'], '/usr/local/bin/goose'],
  [['goose', '-dir', 'migrations', 'sqlite3', 'x.db', 'status'], '/usr/local/bin/goose'],
  [['copilot', 'svc', 'deploy'], '/usr/local/bin/copilot'],
  [['hermes', '-emit-binary', 'x.js'], '/x/node_modules/react-native/sdks/hermes/linux64-bin/hermes'],
  [['hermes', 'start'], '/usr/local/bin/hermes'],
  [['amp', 'main.rs'], '/usr/local/bin/amp'],
  [['cn', 'x'], '/usr/local/bin/cn'],
  [['gemini', 'gemini://example.org'], '/usr/bin/gemini'],
  [['python3', '/usr/bin/crush', 'x.css'], '/usr/bin/python3.11'],
  [['node', '/srv/grok/server.js'], NODE],
  // Asked what it is.
  [[`${M}/@github/copilot-linux-x64/copilot`, '--binary-version']],
  [['claude', '--version'], '/home/u/.local/bin/claude'],
  [['python3', '/srv/interpreter.py'], '/usr/bin/python3.11'],
  [['.kilo', 'notes.txt'], '/home/u/bin/.kilo'],
  [['nanobot', '--config', 'x'], '/usr/local/bin/nanobot'],
];

test.each(OTHERS)('%j is no agent', (argv, exe) => {
  expect(name(argv, exe)).toBeUndefined();
});

test.each([
  ['api.anthropic.com', 'model-client'],
  ['eu.api.openai.com', 'model-client'],
  ['us-central1-aiplatform.googleapis.com', 'model-client'],
  ['bedrock-runtime.eu-central-1.amazonaws.com', 'model-client'],
  ['dashscope-intl.aliyuncs.com', 'model-client'],
  ['my-resource.openai.azure.com', 'model-client'],
  ['router.huggingface.co', 'model-client'],
  ['api.individual.githubcopilot.com', 'model-client'],
  ['api.openai.com.evil.example', undefined],
  ['openai.azure.com', undefined],
  ['huggingface.co', undefined],
  ['docs.mistral.ai', undefined],
  ['api.github.com', undefined],
  ['storage.googleapis.com', undefined],
  ['s3.eu-central-1.amazonaws.com', undefined],
] as const)('a process that asks for %s is %s', (asked, agent) => {
  const facts = { ...NO_PROCESS, pid: 1, argv: ['/srv/app'], exe: '/srv/app', comm: 'app', names: [asked] };
  expect(decide(facts, RULES).rule?.name).toBe(agent);
});
