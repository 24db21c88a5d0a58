/**
 * Globs over arguments and names: `*` any text, `?` one character, `[a-c]` and `[!x]` one of or none of these; letters
 * of either case. Path matchers give `/`, `.` and `..` a meaning of their own, which in an argument they do not have.
 * Pure, and never worse than length times length.
 */

type Token = 'any' | ((character: string) => boolean);

/** Whether it stands for one text alone. */
export function isLiteral(glob: string): boolean {
  return !/[*?[]/.test(glob);
}

/** Whether every text matches (but for the empty one, where a `?` stands beside the `*`). */
export function isEverything(glob: string): boolean {
  return /^\**\??\**$/.test(glob) && glob.includes('*');
}

/** Whether `wide` matches every text that `narrow` matches. Says no where it would have to look closer. */
export function covers(wide: string, narrow: string): boolean {
  if (wide.toLowerCase() === narrow.toLowerCase()) return true;
  // Held against the glob itself: a star takes its wildcards, too, and nothing else of `wide` does.
  return (isLiteral(narrow) || !/[?[]/.test(wide)) && globMatcher([wide])(narrow) !== undefined;
}

/** @returns the first glob that matches, of a list. */
export function globMatcher(globs: readonly string[]): (text: string) => string | undefined {
  // Names, mostly: one look-up instead of a walk for every process of a host.
  if (globs.every(isLiteral)) {
    const names = new Map(globs.toReversed().map((glob) => [glob.toLowerCase(), glob]));
    return (text) => names.get(text.toLowerCase());
  }
  const compiled = globs.map((glob) => ({ glob, tokens: compile(characters(glob.toLowerCase())) }));
  return (text) => {
    const lower = characters(text.toLowerCase());
    return compiled.find(({ tokens }) => matches(tokens, lower))?.glob;
  };
}

/** One entry a character; most texts are that as they are. */
function characters(text: string): ArrayLike<string> {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

function compile(glob: ArrayLike<string>): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i] ?? '';
    const end = character === '[' ? closing(glob, i + (glob[i + 1] === '!' ? 3 : 2)) : -1;
    if (character === '*') tokens.push('any');
    else if (character === '?') tokens.push(() => true);
    else if (end > 0) {
      tokens.push(characterClass(Array.from(glob).slice(i + 1, end)));
      i = end;
    } else tokens.push((c) => c === character);
  }
  return tokens;
}

function closing(glob: ArrayLike<string>, from: number): number {
  for (let i = from; i < glob.length; i++) if (glob[i] === ']') return i;
  return -1;
}

function characterClass(body: readonly string[]): (character: string) => boolean {
  const negated = body[0] === '!';
  const set = negated ? body.slice(1) : body;
  const contains = (c: string) => {
    for (let i = 0; i < set.length; i++) {
      const from = set[i] ?? '';
      const isRange = set[i + 1] === '-' && i + 2 < set.length;
      if (isRange ? c >= from && c <= (set[i + 2] ?? '') : c === from) return true;
      if (isRange) i += 2;
    }
    return false;
  };
  return (c) => contains(c) !== negated;
}

/** Greedy, going back only to the last `*`: what an earlier one took can stay as it is. */
function matches(tokens: readonly Token[], text: ArrayLike<string>): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    const wanted = tokens[token];
    if (wanted === 'any') {
      star = token++;
      starAt = at;
    } else if (wanted?.(text[at] ?? '')) {
      at++;
      token++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (tokens[token] === 'any') token++;
  return token === tokens.length;
}
