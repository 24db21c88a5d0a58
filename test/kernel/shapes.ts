/** The process shapes of real agents, and of what looks like them: real execs with that path, argv, comm and title. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Program } from '../support/program.ts';
import { FIXTURES } from '../support/taut.ts';

const NODE_WAITS = 'setTimeout(() => {}, 120_000);';
const PYTHON_WAITS = 'import time; time.sleep(120)';

export interface Shape {
  /** The agent's name; for look-alikes what they are. */
  readonly name: string;
  readonly start: () => Program;
  /** The program that is started is no agent: it only starts the one that is. */
  readonly isWrapper?: boolean;
}

/** A folder of programs with the names of agents. */
export class Shapes implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'taut-shapes-'));
  readonly #idle = join(this.root, 'idle');

  constructor() {
    execFileSync('clang', ['-O1', '-Wall', '-Werror', '-o', this.#idle, join(FIXTURES, 'idle.c')]);
  }

  file(path: string, text: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    chmodSync(full, 0o755);
    return full;
  }

  /** A native program of that name. */
  native(path: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    if (!existsSync(full)) linkSync(this.#idle, full);
    return full;
  }

  link(path: string, target: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    symlinkSync(relative(dirname(full), target), full);
    return full;
  }

  node(path: string, text = NODE_WAITS): string {
    return this.file(path, `#!/usr/bin/env node\n${text}\n`);
  }

  /** A script that starts itself again with flags, `levels` deep, and waits for that. */
  relay(path: string, levels: number, ...flags: string[]): string {
    return this.node(
      path,
      `const level = Number(process.env.LEVEL ?? 0);
       if (level === ${levels}) ${NODE_WAITS}
       else require('child_process').spawn(process.execPath, [${flags.map((f) => `'${f}',`)} __filename],
         { stdio: 'inherit', env: { ...process.env, LEVEL: String(level + 1) } });`,
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const run =
  (command: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}, cwd?: string) =>
  () =>
    new Program(command, args, { ...process.env, ...env }, cwd);
/** Under another argument 0 than the program's path. */
const as = (argv0: string, command: string, ...args: string[]) =>
  run('bash', ['-c', 'exec -a "$0" "$@"', argv0, command, ...args]);
/** In a session of its own, as a daemon; its parent goes away. */
const daemon = (command: string, ...args: string[]) =>
  run('bash', ['-c', 'setsid "$0" "$@" >&- 2>&- & wait', command, ...args]);

const MODULES = 'lib/node_modules';

/** The table of real agents, each as it was seen running. */
export function agents(shapes: Shapes): Shape[] {
  const node = process.execPath;
  const claude = shapes.link('project/node_modules/.bin/claude', shapes.native('lib/claude.exe'));
  const codex = shapes.native('vendor/x86_64-unknown-linux-musl/bin/codex');
  const python = (name: string) => shapes.file(`venv/bin/${name}`, `#!/usr/bin/env python3\n${PYTHON_WAITS}\n`);
  const copilot = shapes.native('node_modules/@github/copilot-linux-x64/copilot');
  const openclaw = (title: string) =>
    shapes.node(`${MODULES}/openclaw/${title}.mjs`, `process.title = '${title}'; ${NODE_WAITS}`);
  const execs = `process.execve('${codex}', ['${codex}', ...process.argv.slice(2)], process.env)`;
  const keeps = `require('child_process').spawn('${codex}', process.argv.slice(2), { stdio: 'inherit' })`;
  shapes.file('modules/hermes_cli/main.py', PYTHON_WAITS);
  const hermes = join(shapes.root, 'modules');
  const loader = `require('child_process').spawn('${copilot}', [], { stdio: 'inherit', env: { IDLE_COMM: 'MainThread' } })`;
  return [
    { name: 'claude-code', start: run(claude) },
    { name: 'claude-code', start: as('/usr/local/bin/claude', shapes.native('versions/2.1.330')) },
    {
      name: 'claude-code',
      start: run(node, ['--max-old-space-size=512', shapes.node(`${MODULES}/@anthropic-ai/claude-code/cli.js`)]),
    },
    { name: 'codex', start: run(codex, ['exec', 'fix it']) },
    { name: 'codex', start: daemon(codex, 'app-server', '--listen', 'unix:///tmp/x.sock'), isWrapper: true },
    { name: 'codex', start: daemon(codex, 'pid-update-loop'), isWrapper: true },
    { name: 'codex', start: run(node, [shapes.node(`${MODULES}/@openai/codex/bin/codex.js`, execs)]) },
    { name: 'codex', start: run(node, [shapes.node('node20/.bin/codex', keeps)]), isWrapper: true },
    {
      name: 'gemini-cli',
      start: run(shapes.relay('node_modules/.bin/gemini', 1, '--max-old-space-size=512')),
      isWrapper: true,
    },
    {
      name: 'qwen-code',
      start: run(node, [shapes.relay(`${MODULES}/@qwen-code/qwen-code/cli.js`, 2, '--expose-gc')]),
      isWrapper: true,
    },
    {
      name: 'copilot',
      start: run(node, [shapes.node(`${MODULES}/@github/copilot/npm-loader.js`, loader)]),
      isWrapper: true,
    },
    { name: 'continue', start: run(node, [shapes.node('node_modules/.bin/cn')]) },
    { name: 'opencode', start: as('opencode', shapes.native('lib/opencode.exe')) },
    { name: 'cline', start: run(shapes.native('bin/cline')) },
    { name: 'cline', start: daemon(shapes.native('bin/cline'), '--cline-hub-daemon'), isWrapper: true },
    { name: 'openclaw', start: run(openclaw('openclaw')) },
    { name: 'openclaw', start: run(openclaw('openclaw-agent')) },
    { name: 'openclaw', start: run(openclaw('openclaw-gateway')) },
    { name: 'aider', start: run(python('aider'), ['--model', 'x']) },
    { name: 'hermes', start: run('python3', [python('hermes')]) },
    { name: 'hermes', start: run('python3', ['-m', 'hermes_cli.main', 'gateway'], { PYTHONPATH: hermes }) },
    { name: 'claude-code', start: run(shapes.native('nix/bin/.claude-unwrapped')) },
    // As process managers name what they run.
    {
      name: 'openclaw',
      start: run(
        shapes.node('bin/managed', `process.title = 'node /usr/lib/node_modules/openclaw/openclaw.mjs'; ${NODE_WAITS}`),
      ),
    },
    // A script of any name that calls itself what it is.
    { name: 'claude-code', start: run(shapes.node('bin/start-it', `process.title = 'claude'; ${NODE_WAITS}`)) },
  ];
}

/** The same through what people start them with: the agent is what does the work. */
export function wrapped(shapes: Shapes): Shape[] {
  const claude = shapes.native('wrapped/node_modules/.bin/claude');
  const cli = shapes.node(`wrapped/${MODULES}/@qwen-code/qwen-code/cli.js`);
  shapes.file('modules/aider/__main__.py', PYTHON_WAITS);
  const around = (...words: string[]) => run(words[0] ?? '', [...words.slice(1), claude]);
  const optional = ['/usr/bin/sudo'].filter(existsSync).map((path) => ({ ...around(path, '-n') }));
  return [
    { name: 'qwen-code', start: run(shapes.file('wrapped/.bin/qwen', `#!/bin/sh\nexec node "${cli}" "$@"\n`)) },
    {
      name: 'qwen-code',
      start: run(shapes.file('kept/.bin/qwen', `#!/bin/sh\nnode "${cli}" "$@"\nexit $?\n`)),
      isWrapper: true,
    },
    {
      name: 'claude-code',
      start: run('npx', ['--no-install', 'claude'], {}, join(shapes.root, 'wrapped')),
      isWrapper: true,
    },
    { name: 'aider', start: run('python3', ['-m', 'aider'], { PYTHONPATH: join(shapes.root, 'modules') }) },
    { name: 'claude-code', start: around('env', 'A=b') },
    { name: 'claude-code', start: run('bash', ['-c', `${claude}; true`]), isWrapper: true },
    { name: 'claude-code', start: around('nohup') },
    { name: 'claude-code', start: around('setsid') },
    { name: 'claude-code', start: around('nice', '-n', '5') },
    { name: 'claude-code', start: around('timeout', '100'), isWrapper: true },
    ...optional.map(() => ({ name: 'claude-code', start: around('/usr/bin/sudo', '-n'), isWrapper: true })),
  ];
}

/** What only looks like one. */
export function lookAlikes(shapes: Shapes): Shape[] {
  const node = process.execPath;
  const tool = (name: string, ...args: string[]) => ({ name, start: run(shapes.native(`tools/${name}`), args) });
  const script = (command: string, path: string, text: string) => ({
    name: path,
    start: run(command, [shapes.file(path, text)]),
  });
  return [
    tool('vim', 'claude.md'),
    tool('grep', 'claude'),
    tool('tail', '-f', 'codex.log'),
    tool('git', 'clone', 'https://git.example/google/gemini-cli'),
    tool('cat', '/usr/bin/claude'),
    tool('docker', 'run', '--rm', 'image', 'goose'),
    tool('goose', 'postgres', 'user=x', 'up'),
    tool('copilot', 'svc', 'deploy'),
    tool('hermes', '-emit-binary', 'x.js'),
    tool('amp', 'main.rs'),
    tool('crush'),
    tool('claude', 'mcp', 'serve'),
    tool('codex', '-c', 'model=x', 'mcp-server'),
    tool('codex', '--type=renderer'),
    tool('cn'),
    { name: 'claude-anything', start: as('claude-anything', shapes.native('tools/x')) },
    { name: 'rg', start: run(shapes.native(`${MODULES}/@anthropic-ai/claude-code/vendor/rg`)) },
    script('bash', 'claude-backup.sh', 'sleep 120'),
    script(node, 'agent-dashboard/server.js', NODE_WAITS),
    script(node, 'claude/index.js', NODE_WAITS),
    script(node, 'node_modules/corepack/bin/corepack', NODE_WAITS),
    script(node, 'node_modules/.bin/coffee', NODE_WAITS),
    script(node, 'npm/install.js', `process.title = 'npm install @openai/codex'; ${NODE_WAITS}`),
    script(node, 'monitor/index.js', `process.title = 'claude: monitor dashboard'; ${NODE_WAITS}`),
    script(node, `${MODULES}/@openai/codex/scripts/preinstall.js`, NODE_WAITS),
    script('python3', 'hermes-docs/build.py', PYTHON_WAITS),
    script('python3', 'claude.py', PYTHON_WAITS),
  ];
}
