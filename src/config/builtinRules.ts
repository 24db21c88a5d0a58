/**
 * The well-known agents, by the process that does the work: its native program, or the script that its interpreter runs.
 * Names come from running each of them; to add one, run it, look at /proc/PID/{cmdline,exe}, and add a case to
 * `test/unit/builtinRules.test.ts`.
 */
import type { RuleInput } from './schema.ts';

export const BUILTIN_RULES: readonly RuleInput[] = [
  { id: 'builtin/claude-code', name: 'claude-code', program: 'claude' },
  { id: 'builtin/claude-code-npm', name: 'claude-code', package: '@anthropic-ai/claude-code' },
  { id: 'builtin/codex', name: 'codex', program: 'codex' },
  { id: 'builtin/gemini-cli', name: 'gemini-cli', program: 'gemini' },
  { id: 'builtin/gemini-cli-npm', name: 'gemini-cli', package: '@google/gemini-cli' },
  { id: 'builtin/qwen-code', name: 'qwen-code', program: 'qwen' },
  { id: 'builtin/qwen-code-npm', name: 'qwen-code', package: '@qwen-code/qwen-code' },
  { id: 'builtin/copilot', name: 'copilot', program: 'copilot' },
  { id: 'builtin/copilot-npm', name: 'copilot', package: '@github/copilot' },
  { id: 'builtin/continue', name: 'continue', program: 'cn' },
  { id: 'builtin/continue-npm', name: 'continue', package: '@continuedev/cli' },
  { id: 'builtin/opencode', name: 'opencode', program: 'opencode' },
  { id: 'builtin/cline', name: 'cline', program: 'cline' },
  { id: 'builtin/openclaw', name: 'openclaw', program: ['openclaw', 'openclaw-agent', 'openclaw-gateway'] },
  { id: 'builtin/openclaw-npm', name: 'openclaw', package: 'openclaw' },
  { id: 'builtin/aider', name: 'aider', program: 'aider' },
  { id: 'builtin/hermes', name: 'hermes', program: ['hermes', 'hermes-agent'] },
  { id: 'builtin/goose', name: 'goose', program: 'goose' },
  { id: 'builtin/amp', name: 'amp', program: 'amp' },
  { id: 'builtin/crush', name: 'crush', program: 'crush' },
  // Last, so that an agent that is known keeps its name: whoever asks for a model's address talks to a model.
  {
    id: 'builtin/model-client',
    name: 'model-client',
    dns: [
      'api.anthropic.com',
      'api.openai.com',
      'chatgpt.com',
      'generativelanguage.googleapis.com',
      'dashscope.aliyuncs.com',
      'openrouter.ai',
      'api.continue.dev',
      'models.opencode.ai',
      'data.cline.bot',
      'api.githubcopilot.com',
    ],
  },
];
