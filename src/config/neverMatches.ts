/** Finds globs that can never match, by the text that they are compared with (`discovery/conditions.ts`). Pure. */

const CLASS = /\[!?.[^\]]*\]/gu;

type Problem = (glob: string, literal: string) => string | undefined;

/** Compared with the name of a program, without its folder and its ending. */
const programName: Problem = (glob, literal) => {
  if (literal.includes('/')) return 'a name is compared without its folder, so this never matches; use path';
  const ending = /\.(exe|[cm]?[jt]sx?|py)$/i.exec(glob)?.[0];
  if (ending === undefined) return undefined;
  return `a name is compared without "${ending}", so this never matches; write "${glob.slice(0, -ending.length)}", or use path`;
};

/** Compared with a path that begins with a slash. */
const absolute: Problem = (glob) => {
  if (/^[/*?[]/.test(glob)) return undefined;
  return `this is compared with a whole path, which begins with "/", so it never matches; write "*/${glob}"`;
};

const PROBLEMS: Readonly<Record<string, Problem>> = {
  program: programName,
  ancestor: programName,
  path: (glob) =>
    // A glob with a blank may be meant for a title.
    /^[/*?[]|[/ ]/.test(glob)
      ? undefined
      : `without a folder this matches only what was started without one; write "*/${glob}" beside it, or use program`,
  command: (glob) => (glob.startsWith('-') ? 'a command is no option, so this never matches; use option' : undefined),
  option: (glob) => {
    if (!/^[-*?[]/.test(glob)) return 'an option begins with "-", so this never matches; use command or anyArg';
    return glob.includes('=')
      ? `an option is compared without its value, so this never matches; write "${glob.split('=')[0]}"`
      : undefined;
  },
  package: (glob, literal) => {
    const slashes = literal.split('/').length - 1;
    if (slashes > 1 || (slashes === 1 && !/^[@*?[]/.test(glob)))
      return 'a package is compared as "name" or "@scope/name", so this never matches';
    if (literal.indexOf('@', 1) > 0) return 'a package is compared without its version, so this never matches';
    return undefined;
  },
  exe: absolute,
  cgroup: absolute,
  cwd: (glob, literal) =>
    absolute(glob, literal) ??
    (/[^*?\]]\/$/.test(glob) ? 'a folder is compared without "/" at its end, so this never matches' : undefined),
  comm: (glob) => {
    // Each class and each `?` matches at least one byte.
    const least = glob.replace(CLASS, '?').replaceAll('*', '');
    if (Buffer.byteLength(least) <= 15) return undefined;
    return `the kernel keeps 15 bytes of this name, so this never matches; write "${glob.slice(0, 14)}*"`;
  },
  env: (glob, literal) =>
    literal.includes('=')
      ? `just the name of a variable is compared, so this never matches; write "${glob.split('=')[0]}"`
      : undefined,
  dns: (_, literal) => {
    if (/[/\s]/.test(literal)) return 'this is compared with a name like "api.example.com", so it never matches';
    if (/:\d*$/.test(literal)) return 'a question has no port, so this never matches; use connect';
    if (literal.endsWith('.')) return 'a name is compared without "." at its end, so this never matches';
    return /^\d+(\.\d+){3}$/.test(literal)
      ? 'nobody asks for an address, so this never matches; use connect'
      : undefined;
  },
  connect: (pattern) =>
    /^[a-z*][^:/]*\.(:\d+)?$/i.test(pattern)
      ? 'a name is compared without "." at its end, so this never matches'
      : undefined,
  user: (_, literal) => (/[:/\s]/.test(literal) ? 'no user is called so: write a name or a number' : undefined),
};

/** Finds texts that are no glob, or a glob by mistake. Arguments are exempt: they may hold any text. */
function ofAnother(condition: string, glob: string, literal: string): string | undefined {
  if (glob.trim() === '') return 'this is blank, and matches nothing that has a name';
  if (condition === 'anyArg' || condition === 'cmdline') return undefined;
  if (glob !== glob.trim()) return 'there is a blank at its end, with which it is compared; leave that out';
  if (/^\^|\$$|\||\\/.test(literal))
    return 'this looks like a regular expression; a glob has *, ? and [a-c], matches the whole text, and stands in a list for "or"';
  if (/\{[^}]*,[^}]*\}/.test(glob)) return 'braces mean nothing in a glob; write a list';
  return undefined;
}

/** Why a glob of this condition matches nothing or almost nothing, and what to write; undefined when it may match. */
export function neverProblem(condition: string, glob: string): string | undefined {
  const literal = glob.replace(CLASS, '').replace(/[*?]/g, '');
  const problem = ofAnother(condition, glob, literal) ?? PROBLEMS[condition]?.(glob, literal);
  return problem && `"${glob}": ${problem}`;
}
