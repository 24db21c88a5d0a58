/**
 * AgentSight's default configuration and its documentation's examples, imported, against its rules on a hundred command
 * lines. The rules are facts of alibaba/anolisa (src/agentsight/agentsight.json, schema 2, and the denial that its
 * configuration guide shows); the reference below is written from that guide: glob i against argument i, letters of
 * either case, further arguments are free, fewer never match; a denial wins, then the first that allows.
 */
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { splitCommandLine } from '../../src/cli/splitCommandLine.ts';
import { importAgentSight } from '../../src/config/importAgentSight.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

interface AgentSight {
  readonly cmdline: {
    readonly allow: readonly { readonly rule: readonly string[]; readonly agent_name: string }[];
    readonly deny?: readonly { readonly rule: readonly string[] }[];
  };
}

const allow = (agent_name: string, ...rules: string[]) => rules.map((text) => ({ rule: text.split(' '), agent_name }));

const DEFAULT = {
  schema_version: 2,
  runtime: { sls_logtail_path: '' },
  server: { auth: { enabled: true } },
  deadloop: { enabled: false, kill_after_count: 3 },
  features: { token_stats: true },
  runtime_limits: { ring_buffer_mb: 32 },
  https: [{ rule: ['dashscope.aliyuncs.com'] }, { rule: ['api.openai.com'] }],
  http: [],
  encryption: { public_key: '' },
  cmdline: {
    allow: [
      ...allow('Hermes', 'hermes*', '*python* *hermes*', '*python* -m *hermes*'),
      ...allow('Codex', '*codex*', '*node* *codex*'),
      ...allow('Runloop', '*/node* * * * * *server/index.ts*'),
      ...allow('Cosh', 'node* */bin/co*', 'node* */bin/cosh*', 'node* */bin/copliot*', 'node* *copilot-shell*'),
      ...allow('Cosh', '*node* *copilot-shell*', '*node* *cosh*', '*node* */bin/co*', '*node* *os-copilot*'),
      ...allow('CoshNG', '*cosh-shell*', '*cosh-core*', '*cosh-cli*'),
      ...allow('OpenClaw', '*openclaw-gatewa*', 'node* *openclaw*', '*node* *openclaw* gatewa*', 'openclaw'),
      ...allow('Claude', 'claude*', '*/claude*', '*claude*', '*node* *claude*'),
    ],
    deny: [{ rule: ['*', '*', '-c', '*sftp-server*'] }],
  },
};

/** Of its guide to rules and of its C interface. */
const EXAMPLES = {
  cmdline: {
    allow: [
      ...allow('Claude Code', 'node *claude*'),
      ...allow('Aider', '* *aider*'),
      ...allow('My Agent', 'python3 *my_agent*'),
      ...allow('MyAgent', '*python* *my_agent*'),
      ...allow('Single', 'node ?.js', 'NODE *UPPER*'),
    ],
    deny: [{ rule: ['node', '*webpack*'] }, { rule: ['python3', '*celery*'] }],
  },
  domain: [{ rule: ['*.openai.com', '*.anthropic.com'] }],
};

const LINES = `
claude
claude -p hello
CLAUDE
claude-anything
/usr/local/bin/claude
/home/u/.local/share/claude/versions/2.0.14/claude
/opt/claude-tools/x
./claude.sh
node /usr/local/lib/node_modules/@anthropic-ai/claude-code/cli.js
node --max-old-space-size=512 /usr/local/lib/node_modules/@anthropic-ai/claude-code/cli.js
/usr/bin/node /home/u/.claude/local/node_modules/.bin/claude
node /x/CLAUDE/cli.js
node
node /srv/server.js
node server.js claude
nodejs /x/claude.js
vim claude.md
vim main.rs
grep claude
tail -f codex.log
cat /usr/bin/claude
bash ./claude-backup.sh
/bin/sh -c claude
sudo claude
env A=b claude
codex
codex exec fix
/x/vendor/x86_64-unknown-linux-musl/bin/codex app-server
node /x/node_modules/.bin/codex
node /x/@openai/codex/bin/codex.js
/usr/bin/node --flag /x/codex.js
npm install @openai/codex
git clone https://git.example/openai/codex
hermes
hermes chat
Hermes-agent
/usr/bin/hermes
python3 /home/u/v/bin/hermes
python3 -m hermes
python3 -m hermes.cli chat
python3 -u -m hermes
python /home/u/hermes-docs/build.py
/home/u/v/bin/python3 /home/u/v/bin/hermes
python3
python3 -c hermes
node /usr/bin/co
node /usr/bin/cosh
node /usr/bin/copliot
node /usr/bin/copilot
node /usr/lib/node_modules/corepack/dist/bin/corepack
node /home/u/node_modules/.bin/coffee
node /x/copilot-shell/index.js
/usr/bin/node /x/copilot-shell/index.js
/usr/bin/node /usr/bin/cosh
/usr/bin/node /x/os-copilot.js
node20 /x/cosh/index.js
cosh-shell
/usr/libexec/cosh-core --x
cosh-cli run
cosh
/usr/bin/node a b c d /srv/server/index.ts
/usr/bin/node a b c /srv/server/index.ts
/usr/bin/node a b c d e /srv/server/index.ts
node a b c d /srv/server/index.ts
openclaw
openclaw start
openclaw-gateway
openclaw-gatewa
OPENCLAW-GATEWAY --port 1
/usr/bin/openclaw
node /x/openclaw/openclaw.mjs
/usr/bin/node /x/openclaw.mjs gateway
/usr/bin/node /x/openclaw.mjs agent
node /x/openclaw.mjs agent
sshd x -c /usr/lib/sftp-server
sshd claude -c /usr/lib/sftp-server
claude x -c /usr/lib/openssh/sftp-server
bash -l -c sftp-server
bash -c sftp-server
node /x/claude -c sftp-server
codex x -c SFTP-SERVER
aider
aider --model x
python3 /home/u/v/bin/aider
python3 -m aider
bash aider.sh
python3 my_agent.py
/usr/bin/python3 my_agent.py
python3.11 /x/my_agent/main.py
python3 worker celery
python3 celery my_agent
python3 my_agent celery
node webpack claude
node /x/webpack-claude.js
node /x/claude-webpack
/usr/bin/node /x/webpack/claude.js
node a.js
node ab.js
Node /x/upper.js
gemini
`
  .trim()
  .split('\n')
  .map(splitCommandLine);

/** One glob against one text, from what the guide says of globs: `*` anything, `?` one character, either case. */
function covers(glob: string, text: string): boolean {
  const source = glob
    .replace(/[\\^$.|+(){}[\]]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`, 'iu').test(text);
}

function reference({ cmdline }: AgentSight, argv: readonly string[]): string {
  const holds = ({ rule }: { rule: readonly string[] }) =>
    rule.length <= argv.length && rule.every((glob, i) => covers(glob, argv[i] ?? ''));
  if (cmdline.deny?.some(holds)) return 'deny';
  return cmdline.allow.find(holds)?.agent_name ?? 'ignore';
}

test('the table has a hundred command lines', () => {
  expect(LINES).toHaveLength(100);
});

test.each([
  ['its default configuration', DEFAULT, 9],
  ["its documentation's examples", EXAMPLES, 7],
] as const)('%s gives the same decisions on each', (_, source, outcomes) => {
  const rules = compileRules(parseConfig(stringify(importAgentSight(source).config), 'imported.yaml'));
  const ours = (argv: readonly string[]) => {
    const { decision, rule } = decide({ ...NO_PROCESS, pid: 1, argv, exe: '/usr/bin/x', comm: 'x' }, rules);
    return decision === 'attach' ? rule?.name : decision;
  };
  const expected = LINES.map((argv) => [argv.join(' '), reference(source, argv)]);
  expect(LINES.map((argv) => [argv.join(' '), ours(argv)])).toEqual(expected);
  expect(new Set(expected.map(([, outcome]) => outcome)).size).toBe(outcomes);
});
