/**
 * Puts what `bin/taut` and the guard run into a few files, in `dist/cli`: what several commands share, and what each has alone.
 * Node takes longer to find, read and compile a thousand small modules than taut takes to answer, and it keeps more of each than
 * its text. What the package exports is in `dist/library`: all but `@opentelemetry/api`, which is the application's. So the package
 * brings no library that could be there in another version. Its types, as tsc writes them, are in `dist/types`.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type RolldownOutput } from 'rolldown';

const ROOT = resolve(import.meta.dirname, '..');
const SHARED = {
  cwd: ROOT,
  platform: 'node',
  tsconfig: 'tsconfig.json',
  logLevel: 'warn',
} as const;
const WRITTEN = {
  format: 'esm',
  keepNames: true, // messages and stack traces show the names of classes and functions
  sourcemap: true, // with `TAUT_DEBUG` stack traces name places in the sources
  sourcemapExcludeSources: true,
} as const;

const commands = await build({
  ...SHARED,
  input: { main: 'src/cli/main.ts', guardRestore: 'src/cli/guardRestore.ts' },
  output: { ...WRITTEN, dir: join(ROOT, 'dist/cli') },
});
const library = await build({
  ...SHARED,
  input: { index: 'src/index.ts' },
  external: ['@opentelemetry/api'],
  output: { ...WRITTEN, sourcemap: false, dir: join(ROOT, 'dist/library') },
});
writeLicences(commands, 'dist/cli');
writeLicences(library, 'dist/library');
copyDeclarations('src/index.d.ts', 'dist/types');

/** The licences of the packages whose code is in there want to be where it is. */
function writeLicences({ output }: RolldownOutput, into: string): void {
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  const folders = modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
  const licences = [...new Set(folders)].toSorted().flatMap((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const texts = globSync('{LICENSE,LICENCE,NOTICE}*', { cwd: folder }).map((file) =>
      readFileSync(join(folder, file), 'utf8'),
    );
    return [`${name} ${version} (${license})`, ...texts];
  });
  writeFileSync(join(ROOT, into, 'LICENSES'), licences.join('\n\n'));
}

/** Copies a declaration that tsc has written into `dist`, and those that it needs. */
function copyDeclarations(entry: string, into: string): void {
  const copied = new Set<string>();
  const copy = (file: string) => {
    if (copied.has(file)) return;
    copied.add(file);
    const text = readFileSync(join(ROOT, 'dist', file), 'utf8');
    const target = join(ROOT, into, file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    for (const [, name = ''] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g))
      copy(join(dirname(file), name).replace(/\.[jt]s$/, '.d.ts'));
  };
  copy(entry);
}
