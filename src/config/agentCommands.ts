/**
 * Commands with which an agent's program is the agent, and those with which it does something else: it manages what is
 * installed, signs in, lists, serves others, or shows what another process works on. They are from each program's own help, of
 * the versions in `docs/agents.md`; `npm run test:agents` fails when a help names a command that is not here. Those of programs
 * that are not run there are from their documentation.
 */
const words = (text: string) => text.split(' ');
/** Commands of a command. */
const below = (command: string, text: string) => words(text).map((word) => `${command} ${word}`);

export interface Commands {
  /** The program is not the agent with these. A word that is no command to the program is a prompt, and not here. */
  readonly beside: readonly string[];
  /** The program is the agent with these, or may be. */
  readonly works?: readonly string[];
  /** Commands of other programs of the same name. */
  readonly others?: readonly string[];
  /** Options with which it prints something and ends, beside `--version` and `--help`. */
  readonly prints?: readonly string[];
}

/** Of every agent: servers of tools, supervisors, texts for shells. */
export const HELPER_COMMANDS: readonly string[] = words(
  'mcp mcp-server mcp-serve daemon native-host completion completions',
);

/** Programs of which every argument is a file or a prompt. */
export const WITHOUT_COMMANDS: ReadonlySet<string> = new Set(
  words('aider cecli code-puppy mini-swe-agent open-interpreter ra-aid tunacode codex-acp'),
);

/** By the agent's name. */
export const COMMANDS: Readonly<Record<string, Commands>> = {
  aider: { beside: [], prints: words('--list-models --models --just-check-update --upgrade --update') },
  amp: {
    beside: [
      ...words(
        'version login logout orb portal net runner clone git-setup files top report-bug report diagnostics tools tool plugins plugin skills skill permissions permission config domains projects apps oauth-clients secrets svc usage update up',
      ),
      ...below(
        'threads',
        'list ls l usage context search find share export markdown md rename archive delete raw label color import',
      ),
    ],
    works: words('last l threads thread t review orb-spawner'),
  },
  auggie: {
    beside: [
      ...words('login logout token model account context upgrade tools'),
      ...below('session', 'delete help list share stats'),
      ...below('command', 'list help'),
    ],
    works: words('session command'),
    prints: ['-v'],
  },
  clai: { beside: [], works: ['web'], prints: words('-l --list-models') },
  'claude-code': {
    beside: words(
      'attach auth auto-mode config doctor gateway help import install kill logs migrate-installer plugin plugins purge respawn rm setup-token stop ultrareview update upgrade',
    ),
    works: words('agents remote-control'),
    prints: ['-v'],
  },
  cline: {
    beside: words('auth config doctor help history h hook kanban plugin schedule skill update version'),
    works: words('connect hub dashboard'),
  },
  'code-puppy': { beside: [], prints: ['-v'] },
  codex: {
    beside: [
      ...words(
        'a apply archive cloud debug delete doctor exec-server features help login logout migrate-nfs-db migrate-rollouts plugin queue responses-api-proxy sandbox stdio-to-uds unarchive update',
      ),
      ...below('app-server', 'daemon proxy generate-ts generate-json-schema'),
    ],
    works: words('agents app-server e exec fork remote-control resume review'),
  },
  continue: { beside: ['checks'], works: words('ls remote review serve'), prints: ['-v'] },
  copilot: {
    beside: words(
      'app billing config help instruction login lsp memories plugin sandbox sessions skill update version',
    ),
    // The AWS Copilot CLI.
    others: words('app env svc job task run storage secret pipeline deploy'),
    works: words('init workflow'),
    prints: ['-v'],
  },
  crush: {
    beside: words('dirs help login logout logs models projects schema session sessions stats update-providers'),
    works: words('run server'),
    prints: ['-v'],
  },
  'cursor-agent': {
    beside: words(
      'about create-chat help install-shell-integration login logout ls models status uninstall-shell-integration update whoami worker-server',
    ),
    works: words('agent resume'),
    prints: words('-v --list-models'),
  },
  deepagents: {
    beside: words('agents auth config doctor help install skills threads tools uninstall update'),
    prints: words('-v --update --install --uninstall'),
  },
  devin: { beside: words('auth help login logout update version') },
  droid: {
    beside: words('computer doctor find help plugin search update'),
    works: words('exec resume'),
    prints: ['-v'],
  },
  'fast-agent': {
    beside: words('auth bootstrap cards check config export model plugins quickstart scaffold session setup skills'),
    works: words('acp batch demo go serve'),
  },
  'gemini-cli': {
    beside: words('extension extensions gemma hook hooks skill skills'),
    prints: words('-v -l --list-extensions --list-sessions --delete-session'),
  },
  goose: {
    beside: [
      ...words(
        'configure doctor help info local-models lm plugin recipe schedule sched skills update validate-extensions',
      ),
      ...below('session', 'list remove export import diagnostics'),
      ...below('term', 'init info log'),
    ],
    // pressly/goose migrates databases: its arguments are a driver and a direction, or with GOOSE_DRIVER just the direction.
    others: words(
      'postgres pgx mysql sqlite sqlite3 mssql redshift tidb clickhouse vertica ydb turso starrocks duckdb up up-by-one up-to down down-to redo reset create fix status validate version env',
    ),
    works: words('acp bench project p projects ps review run serve session s term tui web'),
  },
  gptme: { beside: words('chats search skills tools') },
  'grok-build': {
    beside: words(
      'clone doctor du disk-usage export help inspect leader login logout memory models plugin sessions setup trace update usage v version worktree wrap',
    ),
    works: words('agent cursor-worker dashboard'),
    prints: ['-v'],
  },
  'grok-cli': { beside: ['help'], works: ['git'] },
  hermes: {
    beside: [
      ...words(
        'auth backup bundles checkpoints claw computer-use config console debug desktop doctor dump fallback gui hooks import insights journey kanban learning login logout logs lsp memory memory-graph migrate moa model pairing pets plugins portal postinstall profile project prompt-size proxy secrets security send sessions setup skills slack status tools uninstall update version webhook whatsapp whatsapp-cloud',
      ),
      ...below('gateway', 'enroll install list migrate-legacy restart setup start status stop uninstall'),
      ...below('cron', 'add create delete edit history list pause remove resume rm run runs status'),
    ],
    // HERMES publishes research software.
    others: words('clean curate deposit harvest init postprocess process'),
    works: words('acp chat cron curator dashboard gateway serve'),
  },
  kilo: {
    beside: words(
      'agent attach auth cloud config console db debug export help import models plug plugin profile providers roll-call session stats uninstall upgrade worktree',
    ),
    works: words('acp github pr remote run serve'),
    prints: ['-v'],
  },
  'kimi-cli': { beside: words('export info login logout'), works: words('acp term web') },
  'kimi-code': {
    beside: words('doctor export fork help install-desktop login logout migrate provider session update upgrade vis'),
    works: words('acp rc remote server web'),
  },
  'kiro-cli': {
    beside: words(
      'agent app dashboard debug diagnostic diagnostics doctor help help-all hook init inline integration integrations issue launch login logout profile quit restart settings setup theme tutorial uninstall update user whoami',
    ),
    works: words('acp chat translate'),
  },
  letta: {
    beside: words(
      'agents backend computers connect install memory messages model mods sandbox setup skills teleport update upgrade usage',
    ),
    works: ['server'],
    prints: words('-v --update --upgrade --info'),
  },
  nanocoder: { beside: ['copilot'], works: ['run'], prints: ['-v'] },
  openclaw: {
    beside: [
      ...words(
        'agents approvals attach audit automations backup browser channels clawbot config configure connect cron dashboard database devices directory dns docs doctor exec-approvals exec-policy file-transfer fleet googlemeet health help hooks logs memory message migrate models node nodes onboard pairing plugins promos proxy qr reset sandbox secrets security sessions skills status system tasks teamsmeetings telemetry transcripts triage uninstall update users webhooks worktrees zoommeetings',
      ),
      ...below(
        'gateway',
        'auth-token call diagnostics discover health install probe restart resume stability start status stop suspend uninstall usage-cost',
      ),
    ],
    works: words('acp agent capability chat gateway infer resume setup terminal tui worker'),
  },
  opencode: {
    beside: words(
      'agent attach auth db debug export import models plug plugin providers session stats uninstall upgrade',
    ),
    works: words('acp github pr run serve web'),
    prints: ['-v'],
  },
  openhands: { beside: words('login logout view'), works: words('acp cloud serve web'), prints: ['-v'] },
  pi: {
    beside: words('auth config install list remove uninstall update'),
    prints: words('-v --list-models --export'),
  },
  plandex: { beside: words('billing help invite models revoke settings sign-in upgrade usage users version') },
  qodercli: {
    beside: words(
      'agent agents feedback help hook hooks login logout plugin plugins rollback skill skills status update',
    ),
    works: words('commit remote-control security'),
    prints: ['-v'],
  },
  'qwen-code': {
    beside: words('auth board extensions hooks sandbox sessions update'),
    works: words('channel review serve'),
    prints: words('-v -l --list-extensions'),
  },
  'trae-cli': { beside: words('show-config tools'), works: words('interactive run') },
  tunacode: { beside: [], prints: words('-v --setup') },
  vibe: { beside: words('help update'), prints: words('-v --setup --check-upgrade') },
};
