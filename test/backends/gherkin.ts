/** As much of Gherkin as flagd's evaluation features use: scenarios with a background, outlines with examples, tables after steps. */

export interface Scenario {
  readonly name: string;
  /** Those of the feature, the scenario and the examples. */
  readonly tags: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly text: string;
  /** The rows of the table below it, by the names in its first row. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}

interface Block {
  readonly kind: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: { text: string; table: string[][] }[];
  /** What stands below `Examples`. */
  readonly table: string[][];
}

/** Every scenario, an outline once for each of its examples. */
export function scenariosIn(text: string): Scenario[] {
  const blocks = blocksIn(text);
  const feature = blocks.find(({ kind }) => kind === 'Feature')?.tags ?? [];
  const background = blocks.find(({ kind }) => kind === 'Background')?.steps ?? [];
  return blocks.flatMap((block, i) => {
    if (!block.kind.startsWith('Scenario')) return [];
    const next = blocks.slice(i + 1).findIndex(({ kind }) => kind !== 'Examples');
    const examples = blocks.slice(i + 1, next < 0 ? undefined : i + 1 + next);
    const cases = examples.flatMap(({ tags, table }) => rowsOf(table).map((row) => ({ tags, row })));
    return (block.kind === 'Scenario' ? [{ tags: [], row: {} }] : cases).map(({ tags, row }) => {
      const fill = (line: string) =>
        line.replace(/<(\w+)>/g, (whole, key) => (row as Record<string, string>)[key] ?? whole);
      const steps = [...background, ...block.steps].map(({ text, table }) => ({
        text: fill(text),
        rows: rowsOf(table),
      }));
      return { name: [block.name, ...Object.values(row)].join(' '), tags: [...feature, ...block.tags, ...tags], steps };
    });
  });
}

function blocksIn(text: string): Block[] {
  const blocks: Block[] = [];
  let tags: string[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [, kind, name = ''] = /^(Feature|Background|Scenario Outline|Scenario|Examples):\s*(.*)$/.exec(line) ?? [];
    const block = blocks.at(-1);
    if (line.startsWith('@')) tags.push(...line.split(/\s+/));
    else if (kind !== undefined) {
      blocks.push({ kind, name, tags, steps: [], table: [] });
      tags = [];
    } else if (line.startsWith('|')) (block?.steps.at(-1)?.table ?? block?.table)?.push(cells(line));
    else if (/^(Given|When|Then|And|But) /.test(line))
      block?.steps.push({ text: line.replace(/^\w+ /, ''), table: [] });
  }
  return blocks;
}

const cells = (line: string) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

function rowsOf([head = [], ...rows]: readonly string[][]): Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(head.map((key, i) => [key, row[i] ?? ''])));
}
