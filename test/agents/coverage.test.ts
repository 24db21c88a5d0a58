/** Real agents as a person starts them, in a terminal: each is found under its name, once, and its helpers are not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentEvent, AgentStatus, StatusDocument } from '../../src/agents/status.ts';
import { type Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { CATALOGUE, type Catalogued } from './catalogue.ts';
import { type Finding, findingOf, keep } from './findings.ts';
import { type Installable, type Installed, installAll, installed, pythonFor } from './install.ts';
import { Terminal } from './terminal.ts';
import { World } from './world.ts';

/** Programs of several hundred megabytes are run when somebody asks for all. */
const ALL = process.env['TAUT_AGENTS'] === 'all';
const wanted = CATALOGUE.filter(({ isLarge }) => ALL || isLarge !== true);
const runnable = wanted.filter((program) => pythonFor(program) !== undefined);

let installs: ReadonlyMap<Installable, Promise<Installed>>;
let world: World;
let sandbox: Sandbox;
let taut: Program;
const findings: Finding[] = [];

beforeAll(async () => {
  const say = (why: string, left: readonly Catalogued[]) => {
    if (left.length > 0) process.stderr.write(`not run, ${why}: ${left.map(({ name }) => name).join(', ')}\n`);
  };
  say(
    'for their size (TAUT_AGENTS=all runs them)',
    CATALOGUE.filter((program) => !wanted.includes(program)),
  );
  say(
    'for want of a Python that is new enough',
    wanted.filter((program) => !runnable.includes(program)),
  );
  installs = installAll(runnable);
  world = await World.open();
  sandbox = Sandbox.withRules([], { builtin: true });
  taut = await sandbox.watch('--json');
});

afterAll(async () => {
  keep(findings);
  await taut[Symbol.asyncDispose]();
  sandbox[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
  await Promise.allSettled(installs.values());
});

/** What `taut watch --json` has said of some processes becoming agents. */
function attached(pids: ReadonlySet<number>): AgentStatus[] {
  return taut.lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as AgentEvent)
    .filter(({ event, agent }) => event === 'attach' && pids.has(agent.pid))
    .map(({ agent }) => agent);
}

/** Waits until taut has exactly these processes of a terminal as agents. */
async function foundExactly(terminal: Terminal, expected: () => readonly number[]): Promise<AgentStatus[]> {
  let found: AgentStatus[] = [];
  const seen = () => terminal.seen.map(({ pid, argv }) => `${pid} ${argv.join(' ')}`).join('\n');
  await until(
    'taut has these agents and no other',
    async () => {
      const { agents } = await sandbox.json<StatusDocument>('status');
      const here = new Set(terminal.processes().map(({ pid }) => pid));
      found = agents.filter(({ pid }) => here.has(pid)).toSorted((a, b) => a.pid - b.pid);
      return expected().length > 0 && String(found.map(({ pid }) => pid)) === String(expected());
    },
    30_000,
  ).catch((error: Error) => {
    const has = found.map(({ pid, name }) => `${pid} (${name})`);
    throw new Error(`${error.message}; it has ${has}, expected ${expected()}; there were\n${seen()}`);
  });
  return found;
}

test.concurrent.for(runnable)('$name: $package $version', async (program) => {
  await installs.get(program);
  await using terminal = new Terminal(program, world);
  if (program.shows) await terminal.shows(program.shows);
  const { folder } = installed(program);
  const found = await foundExactly(terminal, () => terminal.workers(folder, program.isHelper ?? (() => false)));
  expect(found.map(({ name, attachPath }) => `${name} by ${attachPath}`)).toEqual(
    found.map(() => `${program.name} by cmdline`),
  );
  // Whatever else was an agent for a moment is a launcher, above the one that works.
  const launchers = found.flatMap(({ pid }) => terminal.above(pid));
  const everAgents = attached(new Set(terminal.seen.map(({ pid }) => pid)));
  const others = everAgents.filter(({ pid }) => !found.some((agent) => agent.pid === pid) && !launchers.includes(pid));
  expect(others.map(({ pid, rule }) => `${rule}: ${terminal.what(pid).join('; ')}`).join('\n')).toBe('');
  findings.push(findingOf(program, terminal, found, launchers));
});
