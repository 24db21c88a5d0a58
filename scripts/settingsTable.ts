/**
 * Writes the table of settings in docs/configuration.md: what is between the marks is replaced, all else is left as it is.
 *   node scripts/settingsTable.ts
 * `npm run docs` does it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { SETTINGS } from '../src/config/settings.ts';

const PAGE = new URL('../docs/configuration.md', import.meta.url);
const BEGIN = '<!-- settings: written by npm run docs -->\n';
const END = '<!-- end of settings -->\n';

/** The page with its table as the code has it. @throws Error when a mark is missing. */
export function withSettings(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) throw new Error('docs/configuration.md has no marks for its table');
  return `${before}${BEGIN}\n${table()}\n${END}${after}`;
}

function table(): string {
  const rows = SETTINGS.map(({ option, key, variable, otherwise, help, value }) => {
    const shown = `--${option}${value === undefined ? '' : value.startsWith('[') ? `[=${value.slice(1)}` : ` ${value}`}`;
    return `| \`${shown}\` | \`${key}\` | \`${variable}\` | ${otherwise} | ${help} |\n`;
  });
  return `| option | key | variable | default | what it is |\n|---|---|---|---|---|\n${rows.join('')}`;
}

if (import.meta.main) writeFileSync(PAGE, withSettings(readFileSync(PAGE, 'utf8')));
