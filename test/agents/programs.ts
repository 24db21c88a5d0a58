/** The agents that are measured while they talk to a model: how each is run without a person, and whom it asks. */
import type { Installable } from './install.ts';

/** Its name is that which the built-in rules give it. */
export interface AgentProgram extends Installable {
  /** Without a person. */
  readonly args: readonly string[];
  /** With a person at a terminal; undefined of those whom nobody has measured there. */
  readonly interactive?: readonly string[];
  /** Lets it run what the model asks for, without a question; undefined of those that are not asked for that here. */
  readonly freely?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The model's, where its conversation goes. */
  readonly host: string;
  /** What that name stands for in the tests' world. */
  readonly address: string;
  /** Others of its maker that it waits for; of the same address. */
  readonly otherHosts?: readonly string[];
}

/** A server of tools, as agents have them. */
export const MCP_SERVER: Installable = {
  name: 'mcp-server-filesystem',
  registry: 'npm',
  package: '@modelcontextprotocol/server-filesystem',
  version: '2026.8.31',
  command: 'mcp-server-filesystem',
};

export const PROGRAMS: readonly AgentProgram[] = [
  {
    name: 'claude-code', // a native program (Bun)
    registry: 'npm',
    package: '@anthropic-ai/claude-code',
    version: '2.1.331',
    command: 'claude',
    args: ['-p', 'hi'],
    interactive: [],
    freely: ['--allowedTools', 'Bash'],
    env: { ANTHROPIC_API_KEY: 'sk-ant-none' },
    host: 'api.anthropic.com',
    address: '127.0.1.1',
  },
  {
    name: 'codex', // a native program (Rust, musl) behind a Node script that replaces itself
    registry: 'npm',
    package: '@openai/codex',
    version: '0.169.0',
    command: 'codex',
    args: ['exec', '--skip-git-repo-check', 'hi'],
    interactive: ['--no-daemon'], // otherwise a process in another session starts its tools
    freely: ['--dangerously-bypass-approvals-and-sandbox', '-m', 'gpt-5'],
    env: { CODEX_API_KEY: 'sk-none' },
    host: 'api.openai.com',
    address: '127.0.1.2',
    otherHosts: ['chatgpt.com'],
  },
  {
    name: 'gemini-cli', // Node, whose child does the work
    registry: 'npm',
    package: '@google/gemini-cli',
    version: '0.61.0',
    command: 'gemini',
    args: ['-m', 'gemini-2.5-flash', '-p', 'hi'],
    interactive: ['-m', 'gemini-2.5-flash'],
    freely: ['--approval-mode', 'yolo'],
    env: { GEMINI_API_KEY: 'none', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    host: 'generativelanguage.googleapis.com',
    address: '127.0.1.3',
  },
  {
    name: 'aider', // Python
    registry: 'pypi',
    package: 'aider-chat',
    version: '0.86.2',
    command: 'aider',
    args: '--message hi --yes --no-git --model openai/gpt-4o --no-check-update --analytics-disable'.split(' '),
    env: { OPENAI_API_KEY: 'sk-none', OPENAI_API_BASE: 'https://openrouter.ai/api/v1' },
    host: 'openrouter.ai',
    address: '127.0.1.4',
  },
];
