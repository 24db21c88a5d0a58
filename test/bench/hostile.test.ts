/**
 * Exec to tuned of an agent, quiet and beside each flood that any user can cause, in turns in one run; what was lost, and
 * how long taut's event loop was blocked, and by whom. Prints what it measured; asserts only that every agent was found.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { compiled } from '../support/compiled.ts';
import { Program, until } from '../support/program.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';

const ROUNDS = Number(process.env['TAUT_BENCH_ROUNDS'] ?? 3);
const AGENTS = 50;
/** Time for taut to say what was lost, which it does every five seconds. */
const SETTLE_MS = 6_500;
/** Programs without a name, a group or a capability; those of the network make a namespace of their own first. */
const USER = '4242';
const AS_USER = ['setpriv', '--reuid', USER, '--clear-groups'];

const flood = compiled('flood');
/** The descriptors that each of twenty processes holds while it asks a resolver in a namespace where one is. */
const HOLDERS = 20;
const DESCRIPTORS = 15_000;

const FLOODS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  quiet: [],
  'a loop that burns a CPU': [[...AS_USER, 'sh', '-c', 'while :; do :; done']],
  'names of one process': [[...AS_USER, flood, 'rename', '0']],
  'names of many processes': [[...AS_USER, flood, 'names', '0']],
  'programs with long command lines': [[...AS_USER, flood, 'exec', '0', 'x'.repeat(1_900)]],
  forks: [[...AS_USER, flood, 'fork', '0']],
  'questions for names': [[flood, 'dns', '0', USER]],
  connections: [[flood, 'connect', '0', USER]],
  [`${HOLDERS} with ${DESCRIPTORS} descriptors`]: [
    ['unshare', '-n', 'python3', join(import.meta.dirname, 'holders.py'), String(HOLDERS), String(DESCRIPTORS)],
  ],
};

interface Turn {
  readonly ms: number[];
  readonly lost: Map<string, number>;
  longestBlock: Block;
}

/** The event loop was blocked for so long, and taut itself used so much CPU time meanwhile. */
interface Block {
  readonly ms: number;
  readonly cpuMs: number;
}

const percentile = (values: readonly number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;

/** How many events of each kind taut has said to be lost until now. */
function lostUntilNow(sandbox: Sandbox): Map<string, number> {
  const path = join(sandbox.stateDir, 'otlp/logs.jsonl');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lost = new Map<string, number>();
  for (const event of text.split('"taut.events_lost"').slice(1)) {
    const n = Number(/"taut\.events\.lost","value":\{"\w+":"?(\d+)/.exec(event)?.[1] ?? 0);
    const kind = /"taut\.events\.kind","value":\{"stringValue":"(\w+)"/.exec(event)?.[1] ?? 'of any kind';
    lost.set(kind, (lost.get(kind) ?? 0) + n);
  }
  return lost;
}

/** By taut's own CPU time: a block in which it waited for a CPU is the host's, and may be any other program's doing. */
const longer = (a: Block, b: Block) => (b.cpuMs > a.cpuMs ? b : a);
const NO_BLOCK: Block = { ms: 0, cpuMs: 0 };

function longestBlock(path: string, fromMs: number, untilMs: number): Block {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const during = lines.map((line) => line.split(' ').map(Number)).filter(([at = 0]) => at >= fromMs && at <= untilMs);
  return during.map(([, ms = 0, cpuMs = 0]) => ({ ms, cpuMs })).reduce(longer, NO_BLOCK);
}

const LINE = /\((\d+)\): heard in .*settled in \d+ us; (\d+) us/;

test('exec to tuned beside floods', async () => {
  using sandbox = new Sandbox({ OTEL_METRIC_EXPORT_INTERVAL: undefined });
  sandbox.useRules([
    { id: 'fixture', name: 'fixture-agent', anyArg: [sandbox.mark] },
    { id: 'network', dns: 'api.model.example', connect: '203.0.113.1:443' },
  ]);
  const loop = join(sandbox.dir, 'loop');
  await using taut = sandbox.tautWith(
    { TAUT_BENCH_LOOP: loop, NODE_OPTIONS: `--import ${join(import.meta.dirname, 'loopDelay.mjs')}` },
    ...['watch', '--config', sandbox.config, '--optimize-timer-slack', '--log-level', 'debug'],
  );
  await taut.line(/watching/);

  const measure = async (commands: readonly (readonly string[])[], turn: Turn) => {
    const lostBefore = lostUntilNow(sandbox);
    const saidBefore = taut.errors.length; // of processes whose ids may be given out again
    await using floods = new AsyncDisposableStack();
    for (const [command = '', ...args] of commands) floods.use(new Program(command, args));
    await setTimeout(500);
    const fromMs = Date.now();
    await using starter = new Program('python3', [join(FIXTURES, 'starter.py'), sandbox.mark, String(AGENTS)]);
    await starter.line(/^done/, 120_000);
    const pids = new Set(starter.lines.map((line) => Number(line.split(' ')[0])));
    const tuned = () =>
      taut.errors.slice(saidBefore).flatMap((line) => {
        const [, pid, us] = (LINE.exec(line) ?? []).map(Number);
        return pid !== undefined && us !== undefined && pids.has(pid) ? [us / 1_000] : [];
      });
    await until('all agents are tuned', () => tuned().length >= AGENTS, 120_000);
    turn.ms.push(...tuned());
    const untilMs = Date.now();
    await floods.disposeAsync();
    await setTimeout(SETTLE_MS);
    turn.longestBlock = longer(turn.longestBlock, longestBlock(loop, fromMs, untilMs));
    for (const [kind, n] of lostUntilNow(sandbox)) {
      const more = n - (lostBefore.get(kind) ?? 0);
      if (more > 0) turn.lost.set(kind, (turn.lost.get(kind) ?? 0) + more);
    }
  };

  const turns = new Map<string, Turn>(
    Object.keys(FLOODS).map((name) => [name, { ms: [], lost: new Map<string, number>(), longestBlock: NO_BLOCK }]),
  );
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, turn] of turns) await measure(FLOODS[name] ?? [], turn);

  const quiet = turns.get('quiet')?.ms ?? [];
  const all: string[][] = [
    ['beside', 'p50 ms', 'p99 ms', 'p99 / quiet', 'block ms', 'its CPU ms', 'lost or held back'],
  ];
  for (const [name, { ms, lost, longestBlock: block }] of turns) {
    const [p50, p99] = [percentile(ms, 0.5), percentile(ms, 0.99)];
    const ratio = p99 / percentile(quiet, 0.99);
    const losses = [...lost].map(([kind, n]) => `${n} ${kind}`).join(', ');
    all.push([name, p50.toFixed(2), p99.toFixed(2), ratio.toFixed(2), block.ms.toFixed(0), block.cpuMs.toFixed(1)]);
    all.at(-1)?.push(losses || 'nothing');
    expect(ms, name).toHaveLength(ROUNDS * AGENTS);
  }
  for (const [name = '', ...columns] of all)
    process.stderr.write(`${name.padEnd(34)}${columns.map((column) => ` ${column.padStart(11)}`).join('')}\n`);
  await taut.stop();
});
