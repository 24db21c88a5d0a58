/**
 * Writes the tables of docs/agents.md from what `npm run test:agents` found on this machine: what is between the marks is replaced.
 * A program that was not run here keeps its row.
 *   node scripts/agentsTables.ts
 * `npm run docs:agents` does it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Finding, kept } from '../test/agents/findings.ts';
import { UNAVAILABLE } from '../test/agents/unavailable.ts';

const PAGE = new URL('../docs/agents.md', import.meta.url);
const FOUND = mark('found');
const LEFT = mark('left');

/** The page with these findings in place of its rows of the same packages. @throws Error when a mark is missing. */
export function withFindings(page: string, findings: readonly Finding[]): string {
  const rows = new Map(
    between(page, FOUND)
      .split('\n')
      .flatMap((line): [string, string][] => {
        const id = /^\| [^|]+ \| `([^`]+)` /.exec(line)?.[1];
        return id === undefined ? [] : [[id, line]];
      }),
  );
  for (const finding of findings) rows.set(finding.package, rowOf(finding));
  const head = ['agent', 'package and version', 'run on', 'the process that is the agent', 'parts', 'not the agent'];
  const found = `${line(head)}\n|${'---|'.repeat(head.length)}\n${[...rows.values()].toSorted().join('\n')}`;
  const left = [
    ['agent', 'why it is not run'],
    ['---', '---'],
    ...UNAVAILABLE.map(({ name, reason }) => [name, reason]),
  ];
  return replaced(replaced(page, FOUND, found), LEFT, left.map(line).join('\n'));
}

function rowOf({ name, package: id, version, date, agents, parts, helpers }: Finding): string {
  const commands = agents.map(({ command }) => code(command.replace(/\S*(?=\/[^/ ]+\/[^/ ]+\/[^/ ]+$)/, '…')));
  return line([
    name,
    `${code(id)} ${version}`,
    date,
    commands.join(', '),
    parts === 0 ? '' : String(parts),
    helpers.map(code).join(', '),
  ]);
}

const code = (text: string) => `\`${text}\``;
const line = (cells: readonly string[]) => `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;

function mark(name: string): readonly [string, string] {
  return [`<!-- ${name}: written by npm run docs:agents -->\n`, `<!-- end of ${name} -->\n`];
}

function between(page: string, [begin, end]: readonly [string, string]): string {
  const text = page.split(begin)[1]?.split(end)[0];
  if (text === undefined) throw new Error(`docs/agents.md has no ${begin.trim()}`);
  return text;
}

function replaced(page: string, marks: readonly [string, string], table: string): string {
  return page.replace(`${marks[0]}${between(page, marks)}${marks[1]}`, () => `${marks[0]}\n${table}\n\n${marks[1]}`);
}

if (import.meta.main) writeFileSync(PAGE, withFindings(readFileSync(PAGE, 'utf8'), kept()));
