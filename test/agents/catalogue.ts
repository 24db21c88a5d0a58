/**
 * Every agent that can be had from the registries as a program for the command line, as a person starts it. What it is asked for
 * (a login, a key, a folder to trust) does not matter: the process that would do the work is there.
 */

import { PROGRAMS } from './programs.ts';
import type { Seen } from './terminal.ts';
import type { Runnable } from './world.ts';

export interface Catalogued extends Runnable {
  /** More than 300 MB: installed and run only when somebody asks for all. */
  readonly isLarge?: boolean;
  /** What it shows once it is up; undefined of one that is silent until it is spoken to. */
  readonly shows: RegExp | undefined;
  /** The executable or an argument of the process that does the work, where the program becomes or starts that later. */
  readonly becomes?: RegExp;
  /** How its help calls it, where that is not its command. */
  readonly calls?: string;
  /** Its help does not list its commands. */
  readonly hidesCommands?: boolean;
  /** Of the programs in its folder, those that are not the agent. */
  readonly isHelper?: (process: Seen) => boolean;
}

/** A word, whatever it says, and however it is drawn. */
const ANY_WORD = /\p{Letter}(?:\s*\p{Letter}){2}/u;

/** Which of the makers' keys some want before they begin. */
const KEYS = {
  ANTHROPIC_API_KEY: 'sk-ant-none',
  OPENAI_API_KEY: 'sk-none',
  MISTRAL_API_KEY: 'none',
  XAI_API_KEY: 'none',
};

type More = Partial<Omit<Catalogued, 'name' | 'registry' | 'package' | 'version' | 'command'>>;

function of(registry: 'npm' | 'pypi', name: string, packaged: string, command = name, more: More = {}): Catalogued {
  const at = packaged.lastIndexOf('@');
  const which = { name, registry, package: packaged.slice(0, at), version: packaged.slice(at + 1), command };
  return { ...which, args: [], env: KEYS, shows: ANY_WORD, ...more };
}

const npm = (name: string, packaged: string, command?: string, more?: More) => of('npm', name, packaged, command, more);
const pypi = (name: string, packaged: string, command?: string, more?: More) =>
  of('pypi', name, packaged, command, more);

export const CATALOGUE: readonly Catalogued[] = [
  // Without its network Claude Code ends before a person could type. Codex starts a server beside what a person types into, which
  // is an agent of its own: it serves all of a user's sessions, and stays. Told what to do, both ask the model of this world.
  ...PROGRAMS.map((program) =>
    ['claude-code', 'codex'].includes(program.name)
      ? { ...program, shows: undefined, ...(program.name === 'codex' ? { becomes: /\/vendor\/.*\/codex$/ } : {}) }
      : { ...program, args: [], shows: ANY_WORD },
  ),
  npm('amp', '@ampcode/cli@0.0.1790142911-g7618fb'),
  npm('auggie', '@augmentcode/auggie@0.36.0'),
  npm('codex-acp', '@zed-industries/codex-acp@0.16.0', 'codex-acp', {
    ...{ shows: undefined, becomes: /\/codex-acp-linux-\w+\// },
  }),
  npm('continue', '@continuedev/cli@1.5.47', 'cn'),
  npm('copilot', '@github/copilot@1.0.102', 'copilot', {
    ...{ shows: undefined, becomes: /\/copilot-linux-\w+\// }, // it may show nothing without its network
  }),
  npm('droid', 'droid@0.215.0'),
  npm('grok-build', '@xai-official/grok@1.0.41', 'grok', { shows: undefined }),
  npm('grok-cli', '@vibe-kit/grok-cli@0.0.34', 'grok', { env: { GROK_API_KEY: 'none' } }),
  npm('kilo', '@kilocode/cli@7.7.7', 'kilo', {
    shows: undefined, // not before npm has given up its network
    isHelper: ({ exe }) => !exe.endsWith('/.kilo'), // the script that starts it
  }),
  npm('kimi-code', '@moonshot-ai/kimi-code@2.1.0', 'kimi'),
  npm('pi', '@earendil-works/pi-coding-agent@1.6.0'),
  npm('qodercli', '@qoder-ai/qodercli@1.1.52'),
  npm('qwen-code', '@qwen-code/qwen-code@0.24.4', 'qwen'),
  npm('cline', 'cline@3.0.65', 'cline', { isLarge: true }),
  npm('nanocoder', '@nanocollective/nanocoder@1.30.0', 'nanocoder', { isLarge: true }),
  npm('openclaw', 'openclaw@2026.9.6', 'openclaw', { isLarge: true, args: ['tui'] }),
  npm('opencode', 'opencode-ai@1.18.33', 'opencode', { isLarge: true }),
  pypi('clai', 'clai@2.62.0'),
  pypi('fast-agent', 'fast-agent-mcp@0.10.48', 'fast-agent', {
    python: '3.13',
    args: ['go', '--model', 'passthrough'],
  }),
  pypi('gptme', 'gptme@0.35.1'),
  pypi('hermes', 'hermes-agent@0.19.0', 'hermes'),
  // Its help only names its successor.
  pypi('kimi-cli', 'kimi-cli@1.52.0', 'kimi', { python: '3.12', hidesCommands: true }),
  pypi('letta', 'letta@0.34.12', 'letta', {
    ...{ python: '3.12', shows: undefined },
    isHelper: ({ argv }) => argv[1]?.endsWith('/bin/letta') === true, // until it has become its Node
  }),
  pypi('open-interpreter', 'open-interpreter@0.0.296', 'interpreter'),
  pypi('tunacode', 'tunacode-cli@0.2.3', 'tunacode', { python: '3.12' }),
  pypi('cecli', 'cecli-dev@1.10.0', 'cecli', { python: '3.12', isLarge: true }),
  pypi('code-puppy', 'code-puppy@0.0.946', 'code-puppy', { python: '3.12', isLarge: true }),
  pypi('deepagents', 'deepagents-code@0.1.88', 'deepagents-code', { python: '3.12', isLarge: true, calls: 'dcode' }),
  pypi('mini-swe-agent', 'mini-swe-agent@2.4.6', 'mini', { isLarge: true }),
  pypi('openhands', 'openhands@1.16.0', 'openhands', { python: '3.12', isLarge: true }),
  pypi('ra-aid', 'ra-aid@0.30.2', 'ra-aid', { isLarge: true, args: ['--chat'] }),
  pypi('vibe', 'mistral-vibe@3.0.2', 'vibe', {
    ...{ python: '3.12', isLarge: true, shows: undefined, becomes: /\/vibe-app-server$/ },
    isHelper: ({ exe }) => exe.endsWith('/vibe-rs'), // its front end
  }),
];
