/**
 * Globs for arguments and names: `*` any text, `?` one character, `[a-c]` one of these, `[!x]` any other character;
 * case is ignored, unless it matters. Libraries for path globs treat `/`, `.` and `..` specially, which is wrong for an argument.
 * Pure; the time is at most length of the glob times length of the text.
 */

type Token = 'any' | ((character: string) => boolean);

/** Whether a glob matches only one text. */
export function isLiteral(glob: string): boolean {
  return !/[*?[]/.test(glob);
}

/** Whether a glob matches every text. With a `?` beside the `*` it does not match the empty text. */
export function isEverything(glob: string): boolean {
  return /^\**\??\**$/.test(glob) && glob.includes('*');
}

/** Whether `wide` certainly matches every text that `narrow` matches. False also when a closer look would be needed. */
export function covers(wide: string, narrow: string): boolean {
  if (wide.toLowerCase() === narrow.toLowerCase()) return true;
  // Match `wide` with the glob `narrow` itself: only a star of `wide` can take the wildcards of `narrow`.
  return (isLiteral(narrow) || !/[?[]/.test(wide)) && globMatcher([wide])(narrow) !== undefined;
}

/**
 * @param isCased whether upper and lower case differ.
 * @returns a function that gives the first glob of the list that matches a text.
 */
export function globMatcher(globs: readonly string[], isCased = false): (text: string) => string | undefined {
  const folded = isCased ? (text: string) => text : (text: string) => text.toLowerCase();
  // Most globs are plain names: one look-up instead of a walk over the list for every process of a host.
  if (globs.every(isLiteral)) {
    const names = new Map(globs.toReversed().map((glob) => [folded(glob), glob]));
    return (text) => names.get(folded(text));
  }
  const compiled = globs.map((glob) => {
    const lower = folded(glob);
    return { glob, part: plainPart(lower), tokens: compile(characters(lower)) };
  });
  return (text) => {
    const lower = folded(text);
    // Most texts lack a part that each match must have: finding that takes much less than a walk.
    return compiled.find(({ part, tokens }) => lower.includes(part) && matches(tokens, characters(lower)))?.glob;
  };
}

/** The longest text that whatever a glob matches contains. */
function plainPart(glob: string): string {
  const parts = glob.split(/[*?]/);
  return glob.includes('[') ? '' : parts.reduce((longest, part) => (part.length > longest.length ? part : longest));
}

/** One entry per character. Most texts have no surrogate pairs and can be used as they are. */
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

/** Greedy; goes back only to the last `*`, because the choice of an earlier `*` never has to change. */
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
