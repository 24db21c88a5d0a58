/**
 * The well-known agents, by the process that does the work: its native program, or the script that its interpreter runs.
 * Names come from running each of them; to add one, run it, look at /proc/PID/{cmdline,exe}, and add a case to
 * `test/unit/builtinRules.test.ts`. A name that others use as well needs more: what runs it, where it lies, or what the
 * others are told (CONTRIBUTING.md).
 */
import type { RuleInput } from './schema.ts';

/** Somebody's own script about an agent (`python3 claude.py`) is not the agent: installed programs have no such ending. */
const SCRIPT_FILES = ['*.py', '*.js', '*.mjs', '*.cjs', '*.ts', '*.sh'];

/** A package's scripts are the agent; the native helpers that lie in it (ripgrep and the like) are not. */
const SCRIPT_RUNTIMES: RuleInput['runtime'] = ['node', 'bun', 'deno'];

/** A program that nobody else has under this name. */
function program(name: string, ...programs: string[]): RuleInput {
  return { id: `builtin/${name}`, name, program: programs, not: { path: SCRIPT_FILES } };
}

/** A short or common name: taken only under this runtime. */
function scripted(name: string, runtime: RuleInput['runtime'], ...programs: string[]): RuleInput {
  return { ...program(name, ...programs), runtime };
}

function npm(name: string, ...packages: string[]): RuleInput {
  return { id: `builtin/${name}-npm`, name, package: packages, runtime: SCRIPT_RUNTIMES };
}

/** pressly/goose moves databases: it is told a driver and a direction. */
const GOOSE_MIGRATIONS =
  'postgres pgx mysql sqlite3 mssql redshift tidb clickhouse vertica ydb turso starrocks duckdb up up-by-one up-to down down-to redo reset create fix -dir'.split(
    ' ',
  );

/** The commands of the AWS Copilot CLI, which GitHub's does not have. */
const AWS_COPILOT = 'app env svc job task run storage secret pipeline deploy completion'.split(' ');

export const BUILTIN_RULES: readonly RuleInput[] = [
  program('claude-code', 'claude'),
  npm('claude-code', '@anthropic-ai/claude-code'),
  // The native installation keeps each version as a file of that name; as `rg` the same file is a tool.
  { id: 'builtin/claude-code-native', name: 'claude-code', path: '*/claude/versions/*', runtime: 'native' },
  program('codex', 'codex'),
  npm('codex', '@openai/codex'),
  // Also what speaks the Gemini protocol.
  scripted('gemini-cli', SCRIPT_RUNTIMES, 'gemini'),
  npm('gemini-cli', '@google/gemini-cli'),
  program('qwen-code', 'qwen'),
  npm('qwen-code', '@qwen-code/qwen-code'),
  { ...program('copilot', 'copilot'), not: { path: SCRIPT_FILES, anyArg: AWS_COPILOT } },
  npm('copilot', '@github/copilot'),
  scripted('continue', SCRIPT_RUNTIMES, 'cn'),
  npm('continue', '@continuedev/cli'),
  program('opencode', 'opencode'),
  scripted('cline', ['native', 'node', 'bun'], 'cline'),
  npm('cline', 'cline'),
  program('openclaw', 'openclaw', 'openclaw-agent', 'openclaw-gateway'),
  npm('openclaw', 'openclaw'),
  program('aider', 'aider'),
  // Meta's JavaScript engine and the IBC relayer of this name are native.
  scripted('hermes', 'python', 'hermes', 'hermes-agent'),
  { ...scripted('goose', 'native', 'goose'), not: { anyArg: GOOSE_MIGRATIONS } },
  // Its native build lies in a folder of its own; a text editor of this name does not.
  scripted('amp', SCRIPT_RUNTIMES, 'amp'),
  { id: 'builtin/amp-native', name: 'amp', program: 'amp', exe: ['*/.amp/*', '*/@sourcegraph/amp*', '*/@ampcode/*'] },
  npm('amp', '@sourcegraph/amp', '@ampcode/cli'),
  scripted('crush', 'native', 'crush'),
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
