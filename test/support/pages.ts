/** Reads what tests check in a Markdown page: links, sections, code, and command lines of taut. Pure. */
import { splitCommandLine } from '../../src/cli/splitCommandLine.ts';

export interface Page {
  readonly path: string;
  readonly text: string;
}

export interface Link {
  /** Path relative to the page; empty for a section of the same page. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** Matches a block of code; the groups are its language and its text. */
export const BLOCK = /^```(\w*)\n(.*?)^```$/gms;

/** The links into this repository. */
export function links({ text }: Page): Link[] {
  const all = text.replace(BLOCK, '').matchAll(/\]\(([^)\s]+)\)/g);
  return [...all]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [target = '', anchor] = link.split('#');
      return { target, anchor };
    });
}

/** The anchors that GitHub makes for a page's sections. */
export function slugs(text: string): string[] {
  return [...text.replace(BLOCK, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Blocks of code in a language; '' for blocks without a language. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(BLOCK)].filter(([, of]) => of === language).map(([, , body = '']) => body);
}

export function inlineCode(text: string): string[] {
  return [...text.replace(BLOCK, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Matches a command line that starts taut, with what may stand before `taut`. */
const STARTED = /^(?:[A-Z_]+=\S+ )*(?:npx |bin\/|\w+=)?(taut .+)$/;

export interface Shown {
  readonly line: string;
  /** True for a command in a sentence, where its arguments may be left out. */
  readonly isNamed: boolean;
}

/** Command lines of taut, in inline code and in blocks for a shell or a service manager. */
export function commandLines({ text }: Page): Shown[] {
  const shell = ['sh', 'ini'].flatMap((language) => blocks(text, language)).flatMap((block) => block.split('\n'));
  const ofTaut = (lines: string[]) =>
    lines.flatMap((line) => line.split(' | ')).flatMap((line) => STARTED.exec(line.trim())?.[1] ?? []);
  return [
    ...ofTaut(shell.map((line) => line.replace(/\s+#.*$/, ''))).map((line) => ({ line, isNamed: false })),
    ...ofTaut(inlineCode(text)).map((line) => ({ line, isNamed: true })),
  ];
}

/** Values that replace `PID` and `FILE` in a command line. */
export interface Real {
  readonly pid: string;
  readonly file: string;
}

/** The words after `taut`, with real values in place of `PID…`, `[=VALUE]`, `FILE`. */
export function tautCommand(line: string, { pid, file }: Real = { pid: '4711', file: 'file' }): string[] {
  const real = line
    .replace(/ > \S+$/, '')
    .replace(/\[=VALUE\]/g, '=10us')
    .replace(/\[?\b(?:PID|4711)\b…?\]?/g, pid)
    .replace(/\b(?:FILE|CMD)\b…?/g, file);
  return splitCommandLine(real).slice(1);
}
