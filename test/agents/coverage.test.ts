/** Real agents as a person starts them, in a terminal: each is found under its name, once, and its helpers are not. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentEvent, AgentStatus } from '../../src/agents/status.ts';
import { COMMANDS, HELPER_COMMANDS, WITHOUT_COMMANDS } from '../../src/config/agentCommands.ts';
import { type Program, until } from '../support/program.ts';
import { Sandbox } from '../support/taut.ts';
import { CATALOGUE, type Catalogued } from './catalogue.ts';
import { type Finding, findingOf, keep } from './findings.ts';
import { commandsInHelp, versionOptionsInHelp } from './help.ts';
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

/** What a running `taut watch --json` has said: who is an agent now, and who ever was. */
class Told {
  readonly now = new Map<number, AgentStatus>();
  readonly ever: AgentStatus[] = [];
  #read = 0;

  /** Reads on. */
  read(): this {
    for (const line of taut.lines.slice(this.#read)) {
      const { event, agent } = JSON.parse(line) as AgentEvent;
      if (event === 'attach') this.ever.push(agent);
      if (event === 'attach') this.now.set(agent.pid, agent);
      if (event === 'release' || event === 'end') this.now.delete(agent.pid);
    }
    this.#read = taut.lines.length;
    return this;
  }
}

/**
 * Waits until taut and /proc agree, once the program shows that it is up, who is the agent. Of a program that ends before, which
 * some do without their network, it is enough that they agreed while it ran.
 */
async function agreedOn(
  { shows, becomes, isHelper = () => false, ...program }: Catalogued,
  terminal: Terminal,
  told: Told,
) {
  const { folder } = installed(program);
  let agreed: AgentStatus[] = [];
  let [agents, workers]: number[][] = [[], []];
  await until(
    'taut and /proc agree',
    () => {
      const { now } = told.read();
      workers = terminal.workers(folder, isHelper);
      agents = terminal.processes.flatMap(({ pid }) => (now.has(pid) ? [pid] : []));
      const isUp = (pid: number) => {
        const { exe = '', argv = [] } = terminal.now(pid) ?? {};
        return becomes === undefined || [exe, ...argv].some((word) => becomes.test(word));
      };
      const agree = workers.length > 0 && workers.every(isUp) && String(agents.toSorted()) === String(workers);
      if (agree) agreed = workers.flatMap((pid) => now.get(pid) ?? []);
      if (terminal.hasEnded) return true;
      return agree && (shows === undefined || shows.test(terminal.screen()));
    },
    120_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: agents ${agents}, working ${workers}; ${terminal.report()}`);
  });
  if (agreed.length === 0) throw new Error(`it ended, and was no agent: ${terminal.report()}`);
  return agreed;
}

test.concurrent.for(runnable)('$name: $package $version', async (program) => {
  await installs.get(program);
  const told = new Told();
  await using terminal = new Terminal(program, world);
  const found = await agreedOn(program, terminal, told);
  expect(found.map(({ name, attachPath }) => `${name} by ${attachPath}`)).toEqual([`${program.name} by cmdline`]);
  // Whatever else was an agent for a moment is a launcher, above the one that works.
  const own = [...found.map(({ pid }) => pid), ...found.flatMap(({ pid }) => terminal.above(pid))];
  const pids = new Set(terminal.seen.map(({ pid }) => pid));
  const others = told.read().ever.filter(({ pid }) => pids.has(pid) && !own.includes(pid));
  expect(others.map(({ pid, rule }) => `${rule}: ${terminal.what(pid).join('; ')}`).join('\n')).toBe('');
  findings.push(findingOf(program, terminal, found));
});

test.concurrent.for(runnable)('each command that the help of $name names is judged', async (program) => {
  await installs.get(program);
  const { name, command, calls = command, hidesCommands = WITHOUT_COMMANDS.has(name) } = program;
  await using asked = world.askForHelp(program, installed(program));
  await asked.ended;
  const help = [...asked.lines, ...asked.errors].join('\n');
  const commands = commandsInHelp(help, calls);
  const { beside = [], works = [], prints = [] } = COMMANDS[name] ?? {};
  const where = 'in src/config/agentCommands.ts';
  const judged = new Set([...beside, ...works, ...HELPER_COMMANDS]);
  const told = `is ${name} the agent with these commands of its help? Name each of them ${where}, in beside or in works`;
  expect(
    commands.filter((one) => !judged.has(one)),
    told,
  ).toEqual([]);
  expect(commands.length > 0, `${name}'s help is read: it lists ${commands}; it says ${help}`).toBe(!hidesCommands);
  const asks = versionOptionsInHelp(help).filter((option) => option !== '-V' && !prints.includes(option));
  expect(asks, `${name} prints its version with these options: name them ${where}, in prints`).toEqual([]);
});
