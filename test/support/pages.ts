/** Reads of a Markdown page what a test can hold: links, sections, code, and the command lines of taut in it. Pure. */
import { splitCommandLine } from '../../src/cli/splitCommandLine.ts';

export interface Page {
  readonly path: string;
  readonly text: string;
}

export interface Link {
  /** Relative to the page; empty for a section of its own. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** A block of code: its language, its text. */
export const BLOCK = /^```(\w*)\n(.*?)^```$/gms;

/** Links into this repository. */
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

/** The anchors of a page's sections, as GitHub makes them. */
export function slugs(text: string): string[] {
  return [...text.replace(BLOCK, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Blocks of code in a language; '' for those that name none. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(BLOCK)].filter(([, of]) => of === language).map(([, , body = '']) => body);
}

export function inlineCode(text: string): string[] {
  return [...text.replace(BLOCK, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** What may stand before `taut` where it is started. */
const STARTED = /^(?:[A-Z_]+=\S+ )*(?:npx |src\/cli\/|bin\/|\w+=)?(taut .+)$/;

export interface Shown {
  readonly line: string;
  /** In a sentence: a command may be named there without its arguments. */
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

/** What stands for `PID` and for `FILE` in a command line. */
export interface Real {
  readonly pid: string;
  readonly file: string;
}

/** The words after `taut`, with something real in the place of what stands for it: `PID…`, `[=VALUE]`, `FILE`. */
export function tautCommand(line: string, { pid, file }: Real = { pid: '4711', file: 'file' }): string[] {
  const real = line
    .replace(/ > \S+$/, '')
    .replace(/\[=VALUE\]/g, '=10us')
    .replace(/\[?\b(?:PID|4711)\b…?\]?/g, pid)
    .replace(/\b(?:FILE|CMD)\b…?/g, file);
  return splitCommandLine(real).slice(1);
}
