/** The agents that taut has a plugin for: how each is asked for one turn, gets the plugin, and sends its own traces. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CATALOGUE } from '../agents/catalogue.ts';
import type { Installable } from '../agents/install.ts';
import { PROGRAMS } from '../agents/programs.ts';

const PLUGINS = resolve(import.meta.dirname, '../../plugins');

/** What an agent finds where it runs. */
export interface Given {
  /** Where OTLP is taken over HTTP, without a path; undefined for an agent that sends nothing. */
  readonly otlp?: string | undefined;
  /** Whether it is given the plugin for this turn; `installed`: its home has it. */
  readonly hasPlugin: boolean | 'installed';
  /** Where it works. */
  readonly folder: string;
}

export interface Setup {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The text of each file in its home, by its path there. */
  readonly files: Readonly<Record<string, string>>;
}

export interface PluggedAgent {
  readonly program: Installable;
  /** The name of its plugin's folder. */
  readonly folder: string;
  readonly setup: (prompt: string, given: Given) => Setup;
  /** The commands, as its documentation has them, that install the plugin for good; for its command line. */
  readonly install: readonly (readonly string[])[];
}

const found = (all: readonly Installable[], name: string): Installable => {
  const program = all.find((one) => one.name === name);
  if (!program) throw new Error(`nobody has said how ${name} is installed`);
  return program;
};
const plugin = (...path: string[]) => join(PLUGINS, ...path);
const json = (value: object) => JSON.stringify(value);

export const CLAUDE: PluggedAgent = {
  program: found(PROGRAMS, 'claude-code'),
  folder: 'claude-code',
  setup: (prompt, { otlp, hasPlugin, folder }) => ({
    args: [
      ...(hasPlugin === true ? ['--plugin-dir', plugin('claude-code')] : []),
      ...['-p', prompt, '--allowedTools', 'Bash'],
    ],
    env: {
      ANTHROPIC_API_KEY: 'sk-ant-none',
      ...(otlp && {
        ...{ CLAUDE_CODE_ENABLE_TELEMETRY: '1', CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: '1' },
        ...{ CLAUDE_CODE_PROPAGATE_TRACEPARENT: '1', OTEL_TRACES_EXPORTER: 'otlp' },
        ...{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_ENDPOINT: otlp },
      }),
    },
    files: {
      '.claude.json': json({
        hasCompletedOnboarding: true,
        customApiKeyResponses: { approved: ['sk-ant-none'], rejected: [] },
        projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
      }),
    },
  }),
  install: [
    ['plugin', 'marketplace', 'add', PLUGINS],
    ['plugin', 'install', 'taut@taut'],
  ],
};

export const CODEX: PluggedAgent = {
  program: found(PROGRAMS, 'codex'),
  folder: 'codex',
  setup: (prompt, { otlp, hasPlugin, folder }) => ({
    args: [
      ...['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-m', 'gpt-5'],
      ...(hasPlugin ? ['--dangerously-bypass-hook-trust'] : []),
      prompt,
    ],
    env: { CODEX_API_KEY: 'sk-none' },
    files: {
      '.codex/config.toml': [
        'check_for_update_on_startup = false',
        ...(otlp
          ? ['[otel]', `trace_exporter = { otlp-http = { endpoint = "${otlp}/v1/traces", protocol = "binary" } }`]
          : []),
        `[projects.${JSON.stringify(folder)}]\ntrust_level = "trusted"`,
      ].join('\n'),
      ...(hasPlugin === true && { '.codex/hooks.json': readFileSync(plugin('codex/hooks/hooks.json'), 'utf8') }),
    },
  }),
  install: [
    ['plugin', 'marketplace', 'add', PLUGINS],
    ['plugin', 'add', 'taut@taut'],
  ],
};

export const GEMINI: PluggedAgent = {
  program: found(PROGRAMS, 'gemini-cli'),
  folder: 'gemini-cli',
  setup: (prompt, { otlp, hasPlugin }) => ({
    args: ['-m', 'gemini-2.5-flash', '--approval-mode', 'yolo', '-p', prompt],
    env: { GEMINI_API_KEY: 'none', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    files: {
      '.gemini/settings.json': json({
        security: { auth: { selectedType: 'gemini-api-key' } },
        general: { enableAutoUpdate: false },
        ...(otlp && {
          telemetry: {
            enabled: true,
            traces: true,
            target: 'local',
            otlpEndpoint: otlp,
            otlpProtocol: 'http',
            logPrompts: false,
          },
        }),
      }),
      ...(hasPlugin === true && extension('.gemini/extensions/taut', 'gemini-cli', 'gemini-extension.json')),
    },
  }),
  install: [['extensions', 'install', '--consent', plugin('gemini-cli')]],
};

export const QWEN: PluggedAgent = {
  program: found(CATALOGUE, 'qwen-code'),
  folder: 'qwen-code',
  setup: (prompt, { otlp, hasPlugin }) => ({
    args: ['--approval-mode', 'yolo', '-p', prompt],
    env: { OPENAI_API_KEY: 'sk-none', OPENAI_BASE_URL: 'https://openrouter.ai/api/v1', OPENAI_MODEL: 'qwen3-coder' },
    files: {
      '.qwen/settings.json': json({
        security: { auth: { selectedType: 'openai' } },
        general: { enableAutoUpdate: false },
        ...(otlp && {
          telemetry: { enabled: true, target: 'local', otlpEndpoint: otlp, otlpProtocol: 'http', logPrompts: false },
        }),
      }),
      ...(hasPlugin === true && extension('.qwen/extensions/taut', 'qwen-code', 'qwen-extension.json')),
    },
  }),
  install: [['extensions', 'install', '--consent', plugin('qwen-code')]],
};

export const PLUGGED: readonly PluggedAgent[] = [CLAUDE, CODEX, GEMINI, QWEN];

/** An installed extension: a copy of its folder. */
function extension(to: string, folder: string, manifest: string): Record<string, string> {
  return Object.fromEntries(
    [manifest, 'hooks/hooks.json'].map((file) => [join(to, file), readFileSync(plugin(folder, file), 'utf8')]),
  );
}
