/** What of other packages the program loads. Their code is in files of `dist/cli`, whose source maps say which. */
import { existsSync, readFileSync } from 'node:fs';

/** The files with taut's code and that of packages that these lines of strace open. */
export function filesIn(lines: readonly string[]): string[] {
  return lines.flatMap(
    (line) => /openat\([^"]*"(\/[^"]*\/(?:dist|node_modules)\/[^"]*\.[cm]?js)"/.exec(line)?.[1] ?? [],
  );
}

/** The packages whose code is in the files that these lines of strace open. */
export function packagesIn(lines: readonly string[]): Set<string> {
  const maps = filesIn(lines).map((file) => `${file}.map`);
  const sources = maps
    .filter((map) => existsSync(map))
    .flatMap((map) => JSON.parse(readFileSync(map, 'utf8')).sources as string[]);
  return new Set(sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1] ?? []));
}
