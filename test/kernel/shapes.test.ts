/** The process shapes of real agents, as real execs with that path, argv and title, found by the built-in rules. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/status.ts';
import { Program, until } from './program.ts';
import { Bench } from './taut.ts';

const WAIT = 'process.stdin.resume().on("end", () => process.exit())';

/** A folder of programs with the names of agents: each really runs, and ends with its standard input. */
class Shapes implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'taut-shapes-'));

  file(path: string, text: string): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    chmodSync(full, 0o755);
    return full;
  }

  /** A native program of that name. */
  native(path: string): string {
    const full = this.file(path, '');
    copyFileSync('/bin/cat', full);
    return full;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Command, arguments and, where it differs, argument 0 of each; by the agent's name. */
function commands(shapes: Shapes): [string, string, string[], string?][] {
  const node = process.execPath;
  const relay = (path: string, ...flags: string[]) =>
    shapes.file(
      path,
      `if (process.argv.includes('--child')) ${WAIT};
       else require('child_process').spawn(process.execPath, [${flags.map((f) => `'${f}',`)} __filename, '--child'], { stdio: 'inherit' }).on('exit', () => process.exit());`,
    );
  const titled = shapes.file('lib/node_modules/openclaw/openclaw.js', `process.title = 'openclaw-gateway'; ${WAIT}`);
  const python = shapes.file('venv/bin/aider', 'import sys; sys.stdin.read()');
  return [
    ['claude-code', shapes.native('lib/claude.exe'), [], join(shapes.root, 'node_modules/.bin/claude')],
    ['codex', shapes.native('vendor/x86_64-unknown-linux-musl/bin/codex'), []],
    ['gemini-cli', node, [relay('node_modules/.bin/gemini', '--max-old-space-size=512')]],
    ['qwen-code', node, [relay('node_modules/@qwen-code/qwen-code/cli.js', '--expose-gc')]],
    ['continue', node, [shapes.file('node_modules/.bin/cn', WAIT)]],
    ['opencode', shapes.native('lib/opencode.exe'), [], 'opencode'],
    ['cline', shapes.native('bin/cline'), []],
    ['openclaw', node, [titled]],
    ['aider', 'python3', [python, '--model', 'x']],
  ];
}

const start = ([, command, args, argv0]: [string, string, string[], string?]) =>
  argv0 ? new Program('bash', ['-c', `exec -a "$0" "$@"`, argv0, command, ...args]) : new Program(command, args);

test('each known agent is found, live and at the start, and its look-alikes are not', async () => {
  using shapes = new Shapes();
  using bench = new Bench();
  const all = commands(shapes);
  const names = new Set(all.map(([name]) => name));
  await using stack = new AsyncDisposableStack();
  const found = async () => {
    const { agents } = await bench.json<StatusDocument>('status');
    return new Set(agents.filter((a) => programs.some((p) => p.pid === a.pid)).map((a) => a.name));
  };
  await using taut = bench.taut('watch');
  await taut.line(/watching/);
  const programs = all.map((shape) => stack.use(start(shape)));
  const lookAlikes = [
    new Program('bash', ['-c', 'exec -a "$0" cat', 'claude-anything']),
    new Program(process.execPath, [shapes.file('node_modules/.bin/coffee', WAIT)]),
    new Program('bash', [shapes.file('claude-backup.sh', 'cat')]),
    new Program('python3', [shapes.file('hermes-docs/build.py', 'import sys; sys.stdin.read()')]),
  ].map((program) => stack.use(program));
  await until('all are found live', async () => (await found()).size === names.size);
  expect(await found()).toEqual(names);
  const { agents } = await bench.json<StatusDocument>('status');
  for (const program of lookAlikes) expect(agents.map((a) => a.pid)).not.toContain(program.pid);
  await taut.stop();

  // How long it took from the kernel's time stamp of the exec to the gate's word: the spans say it. For the reader.
  const spans = readFileSync(join(bench.stateDir, 'otlp/traces.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => [
      ...line.matchAll(/"name":"attach","kind":1,"startTimeUnixNano":"(\d+)","endTimeUnixNano":"(\d+)"/g),
    ])
    .map(([, from = '0', to = '0']) => Number(BigInt(to) - BigInt(from)) / 1e6)
    .toSorted((a, b) => a - b);
  process.stderr.write(
    `found ${spans.length} processes in ${spans[spans.length >> 1]?.toFixed(1)} ms (median) of their exec\n`,
  );

  await using again = bench.taut('watch');
  await again.line(/watching/);
  expect(await found()).toEqual(names);
});
