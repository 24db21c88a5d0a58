/** Stack traces with places in the sources: what runs was put together from these (`scripts/bundle.ts`). */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';

const PLACE = /(\/[^\s()]+\/dist\/cli\/[^\s():]+\.cjs):(\d+):(\d+)/g;

/** The maps are read for it: they are larger than the program, and hardly ever wanted. */
export function withSourcePlaces(stack: string): string {
  return stack.replace(PLACE, (place: string, file: string, line: string, column: string) => {
    try {
      const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
      const origin = map.findOrigin(Number(line), Number(column));
      if (!('fileName' in origin)) return place;
      return `${resolve(dirname(file), origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`;
    } catch {
      return place; // without its map it is still a place
    }
  });
}
