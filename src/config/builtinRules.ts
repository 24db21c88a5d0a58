/**
 * Rules for well-known agents. A rule matches the process that does the work: a native program, or the script that an
 * interpreter runs. The names come from running each agent. To add one, run it, look at /proc/PID/{cmdline,exe}, and
 * add a case to `test/unit/builtinRules.test.ts`. A name that other programs also have needs one more condition: its
 * runtime, its path, its executable, or the commands of the other programs (CONTRIBUTING.md).
 */
import { COMMANDS, HELPER_COMMANDS, WITHOUT_COMMANDS } from './agentCommands.ts';
import type { RuleInput } from './schema.ts';

type Excepted = NonNullable<RuleInput['not']>;

/** A user's own script about an agent (`python3 claude.py`) is no agent: installed programs have no such ending. */
const SCRIPT_FILES = ['*.py', '*.js', '*.mjs', '*.cjs', '*.ts', '*.sh'];

/** The scripts of a package are the agent; the native helpers in it (ripgrep, for instance) are not. */
const SCRIPT_RUNTIMES: RuleInput['runtime'] = ['node', 'bun', 'deno'];

const HELPER_OPTIONS = [
  ...['--chrome-native-host', '--native-host', '--claude-in-chrome-mcp'],
  // Launchers and updaters ask a program which it is (Copilot CLI asks itself).
  ...['--version', '--binary-version', '-V', '--help', '-h'],
];

/** When the program of this agent is not the agent, or another one of its name. */
function noAgent(name: string) {
  const { beside = [], others = [], prints = [] } = COMMANDS[name] ?? {};
  const command = [...(WITHOUT_COMMANDS.has(name) ? [] : HELPER_COMMANDS), ...beside, ...others];
  const option = [...HELPER_OPTIONS, ...prints];
  return command.length > 0 ? ({ command, option } satisfies Excepted) : ({ option } satisfies Excepted);
}

/** What package managers run once, before or after they put a package in its place. */
const INSTALLERS = 'preinstall install postinstall prepare preuninstall uninstall postuninstall'.split(' ');

/** Scripts that packages of agents bring beside the agent: servers of tools (Gemini CLI has one), and workers. */
const BROUGHT = [
  ...['mcp', '*-mcp', '*-mcp-server', 'mcp-server*', '*-lsp', '*-language-server', 'language-server', 'tsserver'],
  ...['worker', '*-worker', '*worker-*', '*Worker'],
];

type More = Omit<Partial<RuleInput>, 'not'>;

/** A native program of this name. */
function native(name: string, programs: readonly string[], more: More = {}): RuleInput {
  const titles = programs.map((program) => `${program}[: ]*`);
  const not = { ...noAgent(name), path: [...SCRIPT_FILES, ...titles] };
  return { id: `builtin/${name}`, name, program: [...programs], runtime: 'native', ...more, not };
}

/**
 * A script of this name where programs are installed, or a process of that runtime that has given itself the name. `titles`:
 * also one that says more behind its name.
 */
function script(name: string, programs: readonly string[], more: More = {}, titles = false): RuleInput {
  const path = programs.flatMap((program) => [
    ...['*/bin/', '*/.bin/', '*/sbin/', '*/libexec/', ''].map((folder) => `${folder}${program}`),
    ...(titles ? [`${program}[: ]*`] : []),
  ]);
  const not = noAgent(name);
  return { id: `builtin/${name}-script`, name, program: [...programs], runtime: SCRIPT_RUNTIMES, path, ...more, not };
}

/** Of an agent that has no native program. */
function onlyScript(...of: Parameters<typeof script>): RuleInput {
  return { ...script(...of), id: `builtin/${of[0]}` };
}

/** The scripts of these npm packages. */
function npm(name: string, ...packages: string[]): RuleInput {
  const not = {
    ...noAgent(name),
    program: [...INSTALLERS, ...BROUGHT],
    path: ['*/scripts/*', '*/examples/*', '*/lsp/*'],
  };
  return { id: `builtin/${name}-npm`, name, package: packages, runtime: SCRIPT_RUNTIMES, not };
}

/** A script that is known by its path, in whatever folder it lies. */
function hosted(name: string, program: string | string[], ...path: string[]): RuleInput {
  return { id: `builtin/${name}-hosted`, name, program, path, runtime: SCRIPT_RUNTIMES, not: noAgent(name) };
}

/** Gemini CLI and its kin, run from where they are worked on. */
function checkout(folder: string): string[] {
  return [`*/${folder}/packages/cli`, `*/${folder}/packages/cli/index.ts`, `*/${folder}/packages/cli/dist/index.js`];
}

/** These Python packages, and these modules of packages. */
function python(name: string, programs: readonly string[], packages: readonly string[], titles = false): RuleInput[] {
  return [
    onlyScript(name, programs, { runtime: 'python' }, titles),
    { id: `builtin/${name}-python`, name, package: [...packages], runtime: 'python', not: noAgent(name) },
  ];
}

/**
 * The names of model services, as programs that talk to models look them up. They are from the programs of `docs/agents.md`:
 * whom those name that can talk to many services, and whom the others ask.
 */
const MODELS = [
  ...['api.anthropic.com', 'api.openai.com', '*.api.openai.com', 'chatgpt.com', 'generativelanguage.googleapis.com'],
  ...['cloudcode-pa.googleapis.com', 'aiplatform.googleapis.com', '*-aiplatform.googleapis.com'],
  ...['aiplatform.*.rep.googleapis.com', 'bedrock-runtime.*.amazonaws.com', '*.openai.azure.com'],
  ...['*.services.ai.azure.com', 'api.githubcopilot.com', 'api.*.githubcopilot.com'],
  ...['dashscope.aliyuncs.com', 'dashscope-*.aliyuncs.com', '*.dashscope.aliyuncs.com', 'open.bigmodel.cn'],
  ...['api.deepseek.com', 'api.moonshot.ai', 'api.moonshot.cn', 'api.kimi.com', 'api.minimax.io', 'api.minimaxi.com'],
  ...['api.z.ai', 'api.x.ai', 'api.mistral.ai', 'codestral.mistral.ai', 'api.cohere.com', 'api.perplexity.ai'],
  ...['openrouter.ai', 'router.huggingface.co', 'ai-gateway.vercel.sh', 'integrate.api.nvidia.com', 'api.groq.com'],
  ...['api.cerebras.ai', 'api.sambanova.ai', 'api.together.xyz', 'api.fireworks.ai', 'api.deepinfra.com'],
  ...['api.novita.ai', 'inference.baseten.co', 'llm.chutes.ai', 'api.synthetic.new', 'api.llama.com'],
  ...['api.continue.dev', 'models.opencode.ai', 'api.cline.bot', 'data.cline.bot', 'api.kilo.ai', 'api.factory.ai'],
];

export const BUILTIN_RULES: readonly RuleInput[] = [
  native('claude-code', ['claude']),
  script('claude-code', ['claude']),
  npm('claude-code', '@anthropic-ai/claude-code'),
  // The native installation has one file per version, named after the version; run as `rg`, the same file is a tool.
  {
    ...{ id: 'builtin/claude-code-native', name: 'claude-code', path: '*/claude/versions/*', runtime: 'native' },
    not: noAgent('claude-code'),
  },
  // Editors and other hosts bring the script along, or run it in their own process.
  {
    ...{
      id: 'builtin/claude-code-hosted',
      name: 'claude-code',
      program: ['cli', 'claude_local_launcher', 'claude_remote_launcher'],
    },
    path: [
      '*/claude-code/cli.js',
      '*/claude-code/cli.mjs',
      '*/claude-agent-sdk/cli.js',
      '*/scripts/claude_local_launcher.cjs',
      '*/scripts/claude_remote_launcher.cjs',
    ],
    ...{ runtime: SCRIPT_RUNTIMES, not: noAgent('claude-code') },
  },
  // The same of others: run from a folder that is no package, such as a checkout.
  hosted('codex', 'codex', '*/codex/bin/codex.js', '*/codex-cli/bin/codex.js'),
  hosted('gemini-cli', ['gemini', 'cli', 'index'], '*/gemini-cli/bundle/gemini.js', ...checkout('gemini-cli')),
  hosted(
    'qwen-code',
    ['cli', 'index'],
    '*/qwen-code/cli.js',
    '*/qwen-code/dist/cli.js',
    '*/qwen-cli/cli.js',
    ...checkout('qwen-code'),
  ),
  hosted(
    'openclaw',
    ['openclaw', 'index', 'entry'],
    '*/openclaw.mjs',
    'openclaw.mjs',
    '*/openclaw/dist/index.js',
    '*/openclaw/dist/entry.js',
  ),
  hosted('opencode', 'index', '*/packages/opencode/src/index.ts'),
  // Releases have parts of it as programs of their own.
  native('codex', ['codex', 'codex-exec', 'codex-tui', 'codex-app-server']),
  script('codex', ['codex']),
  npm('codex', '@openai/codex'),
  // Programs for the Gemini protocol have this name too, but they are native.
  onlyScript('gemini-cli', ['gemini']),
  npm('gemini-cli', '@google/gemini-cli'),
  native('qwen-code', ['qwen']),
  script('qwen-code', ['qwen']),
  npm('qwen-code', '@qwen-code/qwen-code'),
  native('copilot', ['copilot']),
  script('copilot', ['copilot']),
  npm('copilot', '@github/copilot'),
  onlyScript('continue', ['cn']),
  npm('continue', '@continuedev/cli'),
  native('opencode', ['opencode', 'opencode-cli']),
  script('opencode', ['opencode']),
  npm('opencode', 'opencode-ai'),
  native('cline', ['cline']),
  script('cline', ['cline']),
  npm('cline', 'cline'),
  native('openclaw', ['openclaw', 'openclaw-agent', 'openclaw-gateway']),
  script('openclaw', ['openclaw', 'openclaw-agent', 'openclaw-gateway'], {}, true),
  npm('openclaw', 'openclaw'),
  ...python('aider', ['aider'], ['aider']),
  // Meta's JavaScript engine and the IBC relayer have this name too, but they are native.
  ...python('hermes', ['hermes', 'hermes-agent'], ['hermes', 'hermes_cli', 'hermes_agent', 'tui_gateway.entry'], true),
  native('goose', ['goose']),
  native('goosed', ['goosed']),
  // The native build lies in its own folder; a text editor of the same name does not.
  onlyScript('amp', ['amp']),
  { ...native('amp', ['amp'], { exe: ['*/.amp/*', '*/@sourcegraph/amp*', '*/@ampcode/*'] }), id: 'builtin/amp-native' },
  npm('amp', '@sourcegraph/amp', '@ampcode/cli'),
  // A shell has this name too, so it takes the folder of this one, or a model that it talks to.
  native('crush', ['crush'], {
    exe: ['*/@charmland/crush*', '*/Cellar/crush/*', '*/crush_*/*', '*/.crush/*', '*/go/bin/crush'],
  }),
  { ...native('crush', ['crush'], { dns: MODELS }), id: 'builtin/crush-model' },
  // The log parser of this name lies elsewhere.
  native('grok-build', ['grok', 'grok-native'], { exe: ['*/@xai-official/grok*', '*/.grok/*'] }),
  {
    ...native('grok-build', ['grok', 'grok-native']),
    ...{ id: 'builtin/grok-build-bin', path: ['*/node_modules/.bin/grok', '*/@xai-official/grok*', '*/.grok/*'] },
  },
  npm('grok-build', '@xai-official/grok'),
  // Another agent for the same models, which is a script.
  onlyScript('grok-cli', ['grok']),
  npm('grok-cli', '@vibe-kit/grok-cli'),
  native('droid', ['droid']),
  script('kimi-code', ['kimi', 'kimi-code']),
  native('kimi-code', ['kimi', 'kimi-cli']),
  ...python('kimi-cli', ['kimi', 'kimi-cli'], ['kimi_cli']),
  onlyScript('auggie', ['auggie']),
  npm('auggie', '@augmentcode/auggie'),
  script('qodercli', ['qodercli']),
  native('qodercli', ['qodercli']),
  npm('qodercli', '@qoder-ai/qodercli'),
  // Its Node has another argument 0 than `node`; a worker of it is no agent.
  {
    ...{ id: 'builtin/cursor-agent', name: 'cursor-agent', program: ['agent', 'cursor-agent'] },
    ...{ anyArg: '*/cursor-agent/versions/*/index.js', not: noAgent('cursor-agent') },
  },
  {
    ...{ id: 'builtin/cursor-agent-script', name: 'cursor-agent', program: 'index', runtime: SCRIPT_RUNTIMES },
    ...{ path: '*/cursor-agent/versions/*/index.js', not: noAgent('cursor-agent') },
  },
  native('kiro-cli', ['kiro-cli', 'kiro-cli-chat']),
  onlyScript('pi', ['pi'], { path: ['*/bin/pi', '*/.bin/pi', 'pi'] }),
  npm('pi', '@earendil-works/pi-coding-agent', '@mariozechner/pi-coding-agent'),
  // A text editor has this name too.
  native('kilo', ['kilo'], { path: ['*/@kilocode/*', '*/kilocode.*', '*/node_modules/.bin/kilo', '*/.kilo/*'] }),
  script('kilo', ['kilo', 'kilocode']),
  npm('kilo', '@kilocode/cli'),
  // An adapter in which Codex runs.
  native('codex-acp', ['codex-acp']),
  script('codex-acp', ['codex-acp']),
  npm('codex-acp', '@zed-industries/codex-acp'),
  native('cosh-shell', ['cosh-shell', 'cosh-core', 'cosh-cli']),
  {
    ...{ id: 'builtin/copilot-shell', name: 'copilot-shell', program: 'cli', path: '*/copilot-shell/cli.js' },
    ...{ runtime: SCRIPT_RUNTIMES, not: noAgent('copilot-shell') },
  },
  native('devin', ['devin']),
  native('plandex', ['plandex']),
  script('letta', ['letta']),
  npm('letta', '@letta-ai/letta-code'),
  // Its Python package brings a Node along.
  hosted('letta', 'letta', '*/letta_code/*/letta.js'),
  ...python('letta', ['letta'], ['letta', 'letta_code']).map((rule) => ({
    ...rule,
    id: rule.id.replace('letta-script', 'letta-pip'),
  })),
  ...python('openhands', ['openhands'], ['openhands', 'openhands_cli']),
  { ...native('openhands', ['openhands']), id: 'builtin/openhands-native' },
  ...python('gptme', ['gptme'], ['gptme']),
  ...python('mini-swe-agent', ['mini', 'mini-swe-agent'], ['minisweagent']),
  // Behind its native front end, `vibe-app-server` talks to the model.
  ...python('vibe', ['vibe', 'vibe-acp', 'vibe-app-server'], ['vibe', 'mistral_vibe']),
  ...python('trae-cli', ['trae-cli'], ['trae_agent']),
  onlyScript('nanocoder', ['nanocoder']),
  npm('nanocoder', '@nanocollective/nanocoder'),
  ...python('open-interpreter', ['interpreter'], ['interpreter']),
  ...python('code-puppy', ['code-puppy'], ['code_puppy']),
  ...python('cecli', ['cecli'], ['cecli']),
  ...python('fast-agent', ['fast-agent', 'fast-agent-acp'], ['fast_agent']),
  ...python('deepagents', ['deepagents-code'], ['deepagents_code']),
  ...python('ra-aid', ['ra-aid'], ['ra_aid']),
  ...python('nanobot', ['nanobot', 'nanobot-agent'], ['nanobot']),
  ...python('tunacode', ['tunacode'], ['tunacode']),
  ...python('clai', ['clai'], ['clai']),
  // A process that asks for a model's address talks to a model. Last, so that a known agent keeps its name.
  { id: 'builtin/model-client', name: 'model-client', dns: MODELS },
];
