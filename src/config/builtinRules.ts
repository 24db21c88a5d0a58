/**
 * Rules for well-known agents. A rule matches the process that does the work: a native program, or the script that an
 * interpreter runs. The names come from running each agent. To add one, run it, look at /proc/PID/{cmdline,exe}, and
 * add a case to `test/unit/builtinRules.test.ts`. A name that other programs also have needs one more condition: its
 * runtime, its path, or the arguments of the other programs (CONTRIBUTING.md).
 */
import type { RuleInput } from './schema.ts';

/** A user's own script about an agent (`python3 claude.py`) is no agent: installed programs have no such ending. */
const SCRIPT_FILES = ['*.py', '*.js', '*.mjs', '*.cjs', '*.ts', '*.sh'];

/** The scripts of a package are the agent; the native helpers in it (ripgrep, for instance) are not. */
const SCRIPT_RUNTIMES: RuleInput['runtime'] = ['node', 'bun', 'deno'];

/** A rule for a name that no other program has. */
function program(name: string, ...programs: string[]): RuleInput {
  return { id: `builtin/${name}`, name, program: programs, not: { path: SCRIPT_FILES } };
}

/** A rule for a short or common name: it matches only with this runtime. */
function scripted(name: string, runtime: RuleInput['runtime'], ...programs: string[]): RuleInput {
  return { ...program(name, ...programs), runtime };
}

function npm(name: string, ...packages: string[]): RuleInput {
  return { id: `builtin/${name}-npm`, name, package: packages, runtime: SCRIPT_RUNTIMES };
}

/** pressly/goose migrates databases: its arguments are a driver and a direction. */
const GOOSE_MIGRATIONS =
  'postgres pgx mysql sqlite3 mssql redshift tidb clickhouse vertica ydb turso starrocks duckdb up up-by-one up-to down down-to redo reset create fix -dir'.split(
    ' ',
  );

/** Commands of the AWS Copilot CLI that the GitHub Copilot CLI does not have. */
const AWS_COPILOT = 'app env svc job task run storage secret pipeline deploy completion'.split(' ');

export const BUILTIN_RULES: readonly RuleInput[] = [
  program('claude-code', 'claude'),
  npm('claude-code', '@anthropic-ai/claude-code'),
  // The native installation has one file per version, named after the version; run as `rg`, the same file is a tool.
  { id: 'builtin/claude-code-native', name: 'claude-code', path: '*/claude/versions/*', runtime: 'native' },
  program('codex', 'codex'),
  npm('codex', '@openai/codex'),
  // Programs for the Gemini protocol have this name too.
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
  // Meta's JavaScript engine and the IBC relayer have this name too, but they are native.
  scripted('hermes', 'python', 'hermes', 'hermes-agent'),
  { ...scripted('goose', 'native', 'goose'), not: { anyArg: GOOSE_MIGRATIONS } },
  // The native build lies in its own folder; a text editor of the same name does not.
  scripted('amp', SCRIPT_RUNTIMES, 'amp'),
  { id: 'builtin/amp-native', name: 'amp', program: 'amp', exe: ['*/.amp/*', '*/@sourcegraph/amp*', '*/@ampcode/*'] },
  npm('amp', '@sourcegraph/amp', '@ampcode/cli'),
  scripted('crush', 'native', 'crush'),
  // A process that asks for a model's address talks to a model. Last, so that a known agent keeps its name.
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
