/** Tables for people, as the pages show them. */

/** A Markdown table on standard error, with what it was measured on. */
export function printTable(what: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const date = new Date().toISOString().slice(0, 10);
  process.stderr.write(
    `\n${what} (${date})\n\n${line(head)}${line(head.map(() => '---'))}${rows.map(line).join('')}\n`,
  );
}

export function us(seconds: number | undefined): string {
  return seconds === undefined ? 'too few' : `${(seconds * 1e6).toFixed(0)} us`;
}

export function ms(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
