/** What the programs of the catalogue were found to be, kept for the page that shows it (`npm run docs:agents`). */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AgentStatus } from '../../src/agents/status.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';
import { CACHE, type Installable, installed } from './install.ts';
import type { Seen, Terminal } from './terminal.ts';

/** Of one program, on one day. */
export interface Finding {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  /** Like `2026-11-27`. */
  readonly date: string;
  /** The command line of each process that is the agent, shortened, and the rule that found it. */
  readonly agents: readonly { readonly command: string; readonly rule: string }[];
  /** How many processes are a part of it: the scripts that only start it. */
  readonly parts: number;
  /** What else it was seen to run, by name. */
  readonly helpers: readonly string[];
}

const FILE = join(CACHE, 'findings.json');

export function findingOf(program: Installable, terminal: Terminal, found: readonly AgentStatus[]): Finding {
  const { name, package: id, version } = program;
  const { folder } = installed(program);
  const launchers = found.flatMap(({ pid }) => terminal.above(pid));
  const own = new Set([...found.map(({ pid }) => pid), ...launchers]);
  const others = terminal.seen.filter(({ pid }) => !own.has(pid));
  return {
    ...{ name, package: id, version, date: new Date().toISOString().slice(0, 10) },
    agents: found.map(({ pid, rule }) => ({ command: shortened(terminal.now(pid)?.argv ?? [], folder), rule })),
    parts: new Set(launchers.filter((pid) => terminal.seen.some((process) => process.pid === pid))).size,
    helpers: [...new Set(others.map(nameOf))].toSorted(),
  };
}

/** Without the folders of this machine, and without what comes after the program. */
function shortened(argv: readonly string[], folder: string): string {
  const words = argv
    .map((word) => word.trim())
    .map((word) => (word.startsWith(folder) ? `…${word.slice(folder.length)}` : word));
  const [command = '', ...rest] = words;
  const isInterpreter = /(^|\/)(node|python[\d.]*)$/.test(command);
  const upTo = isInterpreter ? rest.findIndex((word) => !word.startsWith('-')) + 1 : 0;
  return [isInterpreter ? basename(command) : command, ...rest.slice(0, upTo)].join(' ');
}

const nameOf = ({ argv, exe }: Seen) => effectiveProgram(argv, () => exe).name;

/** Adds findings to those of earlier runs, of which they replace the ones of the same programs. */
export function keep(findings: readonly Finding[]): void {
  const before = kept().filter((old) => !findings.some((finding) => finding.package === old.package));
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify([...before, ...findings], null, 2)}\n`);
}

export function kept(): readonly Finding[] {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Finding[]) : [];
}
