/** Nobody's secrets leave taut: they are planted wherever there may be some, and searched for in all that taut says and keeps. */
import { globSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closed, hear, hostOf, listening } from '../support/loopback.ts';
import { outcome, Program, until } from '../support/program.ts';
import { FIXTURES, LAUNCHER, Sandbox } from '../support/taut.ts';

/** A secret for each place. A thread's name has 15 characters at most. */
const SECRETS = {
  argument: 'xq1argument',
  value: 'xq2value',
  user: 'xq3user',
  password: 'xq4password',
  query: 'xq5query',
  environment: 'xq6environment',
  directory: 'xq7directory',
  name: 'xq8name',
  thread: 'xq9thread',
  tool: 'xq10tool',
  run: 'xq11run',
  endpointUser: 'xq12user',
  endpointPassword: 'xq13password',
  endpointQuery: 'xq14query',
  header: 'xq15header',
  title: 'xq16title',
} as const;

/** The places whose secret is in the text. */
function found(text: string): string[] {
  return Object.entries(SECRETS).flatMap(([place, secret]) => (text.includes(secret) ? [place] : []));
}

/** All texts, by where they are from. */
type Said = Map<string, string>;

function leaks(said: Said): string[] {
  return [...said].flatMap(([where, text]) => found(text).map((place) => `${where}: ${place}`));
}

/** Each file below a state directory, as it is on disk. */
function addFiles(said: Said, dir: string): void {
  for (const file of globSync('**', { cwd: dir }).filter((one) => statSync(join(dir, one)).isFile()))
    said.set(file, readFileSync(join(dir, file), 'latin1'));
}

async function addCommands(said: Said, sandbox: Sandbox, commands: readonly (readonly string[])[]): Promise<void> {
  for (const words of commands) {
    await using program = sandbox.taut(...words);
    const { out, err } = await outcome(program);
    expect(out + err, words.join(' ')).not.toBe('');
    said.set(words.join(' '), out + err);
  }
}

async function agentIn(sandbox: Sandbox): Promise<Program> {
  const cwd = join(sandbox.dir, SECRETS.directory);
  mkdirSync(cwd);
  const { argument, value, user, password, query, environment, name, thread, tool } = SECRETS;
  const args = [`--api-key=${argument}`, '--token', value, `https://${user}:${password}@example.com/?token=${query}`];
  const env = { ...process.env, API_KEY: environment, OWN_NAME: name, THREAD_NAME: thread, TOOL_SECRET: tool };
  const words = [join(FIXTURES, 'secretive.py'), sandbox.mark, ...args];
  const agent = new Program('python3', words, env, cwd);
  await agent.line(/^ready/);
  return agent;
}

/** The agent is named by all that a rule can ask for and a secret may be in. */
function ruleOf(sandbox: Sandbox): object {
  const asked = {
    anyArg: [sandbox.mark],
    cmdline: ['*', '*', '*', '--api-key=*'],
    env: 'API_KEY',
    cwd: `*/*directory`,
  };
  return { id: 'secretive', name: 'fixture-agent', ...asked };
}

/** Says of each thing what a person may ask. */
const asked = (pid: number) => [
  ['status', '--json'],
  ['status'],
  ['explain', String(pid), '--json'],
  ['explain', String(pid)],
  ['explain', '--last', '20', '--json'],
  ['explain', String(pid), '--rule', 'secretive', '--json'],
  ['explain', String(pid), '--rule', 'elsewhere', '--json'],
  ['restore', '--dry-run', '--json'],
];

/** Another rule that nearly names the agent. */
const ELSEWHERE = { id: 'elsewhere', name: 'other', program: 'secretive', cwd: '/elsewhere', comm: 'other*' };

test('a secret of an agent is in nothing that is exported, logged, kept or told', async () => {
  using sandbox = new Sandbox({ OTEL_LOG_LEVEL: 'all', OTEL_BSP_SCHEDULE_DELAY: '100' });
  sandbox.useRules([ruleOf(sandbox), ELSEWHERE]);
  await using agent = await agentIn(sandbox);
  const said: Said = new Map();
  await using taut = await sandbox.watch('--optimize', '--log-level', 'debug', '--json');
  await taut.line(/tuned \d+ of/);
  await addCommands(said, sandbox, asked(agent.pid));
  addFiles(said, sandbox.stateDir);
  await using off = sandbox.taut('off', '--reason', 'to see what that exports');
  await outcome(off);
  await taut.stop();
  addFiles(said, sandbox.stateDir);
  said.set('standard output', taut.lines.join('\n'));
  said.set('standard error', taut.errors.join('\n'));
  const [spans, ledger] = ['otlp/traces.jsonl', 'ledger.db'].map((file) => said.get(file));
  expect([spans?.includes('fixture-agent'), ledger === undefined]).toEqual([true, false]);
  expect(leaks(said)).toEqual([]);
});

test('nor is one of a command that taut runs, or of a program that is an address', async () => {
  using sandbox = new Sandbox({ OTEL_LOG_LEVEL: 'all', OTEL_BSP_SCHEDULE_DELAY: '100' });
  const said: Said = new Map();
  const { run, user, password, query, title } = SECRETS;
  const command = ['sh', '-c', `read line; : ${run}`, `--key=${run}`];
  await using held = sandbox.taut('run', '--optimize', '--log-level', 'debug', '--', ...command);
  await held.line(/watching/);
  held.say('');
  said.set('run', (await outcome(held)).err);
  await addCommands(said, sandbox, [
    ['explain', '--cmdline', `deno run https://${user}:${password}@example.com/claude.ts?token=${query}`, '--json'],
    ['explain', '--cmdline', `bunx https://${user}:${password}@example.com?token=${query}`, '--json'],
  ]);
  const address = `https://${user}:${password}@example.com/agent.mjs?token=${query}`;
  const script = `process.title = 'node ${address} --key=${title}'; console.log('ready'); process.stdin.resume()`;
  await using program = new Program(process.execPath, ['-e', script]);
  await program.line(/^ready/);
  await using taut = sandbox.taut('attach', String(program.pid), '--log-level', 'debug');
  await taut.line(/attached to agent /);
  await taut.line(/watching/);
  await addCommands(said, sandbox, [
    ['status', '--json'],
    ['explain', String(program.pid), '--json'],
  ]);
  await taut.stop();
  addFiles(said, sandbox.stateDir);
  said.set('standard error', taut.errors.join('\n'));
  expect(leaks(said)).toEqual([]);
});

/** A backend that takes nothing until it is told to. */
class Backend implements AsyncDisposable {
  readonly bodies: string[] = [];
  readonly addresses = new Set<string>();
  readonly headers = new Set<string>();
  isOpen = false;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      hear(request, (body) => {
        this.addresses.add(request.url ?? '');
        this.headers.add(String(request.headers.authorization));
        this.bodies.push(body.toString('latin1'));
        response.writeHead(this.isOpen ? 200 : 503).end(this.isOpen ? '' : `no: ${SECRETS.header}`);
      });
    });
  }

  static async start(): Promise<Backend> {
    return new Backend(await listening(createServer()));
  }

  get host(): string {
    return hostOf(this.#server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return closed(this.#server);
  }
}

test("nor is one of taut's own: address and header of a backend, what waits for it, what it answers", async () => {
  await using backend = await Backend.start();
  const { endpointUser, endpointPassword, endpointQuery, header } = SECRETS;
  const endpoint = `http://${endpointUser}:${endpointPassword}@${backend.host}/traces?key=${endpointQuery}`;
  using sandbox = new Sandbox({
    OTEL_LOG_LEVEL: 'all',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${header}`,
  });
  sandbox.useRules([ruleOf(sandbox), ELSEWHERE]);
  await using _agent = await agentIn(sandbox);
  const said: Said = new Map();
  await using taut = await sandbox.watch('--optimize', '--log-level', 'debug');
  await taut.line(/telemetry: traces to .*503/);
  await until('a trace waits on disk', () => globSync('spool/*/*.{json,pb}', { cwd: sandbox.stateDir }).length > 0);
  addFiles(said, join(sandbox.stateDir, 'spool'));
  backend.isOpen = true;
  await taut.line(/works again/);
  await taut.stop();
  addFiles(said, sandbox.stateDir);
  said.set('standard error', taut.errors.join('\n'));
  said.set('bodies', backend.bodies.join('\n'));
  expect([...backend.addresses].every((address) => address.includes(endpointQuery))).toBe(true);
  expect([...backend.headers]).toEqual([`Bearer ${header}`]);
  expect(backend.bodies.join('\n')).toContain('fixture-agent');
  expect(leaks(said)).toEqual([]);
});

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', `ftp://${SECRETS.user}:${SECRETS.password}@c/?key=${SECRETS.query}`],
  ['OTEL_EXPORTER_OTLP_HEADERS', `authorization: Bearer ${SECRETS.header}`],
  ['OTEL_RESOURCE_ATTRIBUTES', `a=b,${SECRETS.value}`],
])('nor is one of %s that stops the start', async (variable, value) => {
  using sandbox = new Sandbox();
  const env = { ...process.env, [variable]: value };
  await using taut = new Program(LAUNCHER, ['watch', '--state-dir', sandbox.stateDir, '--log-level', 'debug'], env);
  const { code, err } = await outcome(taut);
  expect([code, err.includes(variable), found(err)]).toEqual([2, true, []]);
});
