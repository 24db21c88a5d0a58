/**
 * Puts what `bin/taut` and the guard run into a few files, in `dist/cli`: what several commands share, and what each has alone.
 * Node takes longer to find, read and compile a thousand small modules than taut takes to answer, and it keeps more of each than
 * its text. What the package exports (`dist/src`) stays as tsc writes it.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'rolldown';

const ROOT = resolve(import.meta.dirname, '..');
const INTO = join(ROOT, 'dist/cli');

const { output } = await build({
  cwd: ROOT,
  input: { main: 'src/cli/main.ts', guardRestore: 'src/cli/guardRestore.ts' },
  platform: 'node',
  tsconfig: 'tsconfig.json',
  logLevel: 'warn',
  output: {
    dir: INTO,
    format: 'esm',
    keepNames: true, // messages and stack traces show the names of classes and functions
    sourcemap: true, // with `TAUT_DEBUG` stack traces name places in the sources
    sourcemapExcludeSources: true,
  },
});

/** The folders of the packages whose code is in there. Their licences want to be where it is. */
const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
const folders = modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []);
const licences = [...new Set(folders)].toSorted().flatMap((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = globSync('{LICENSE,LICENCE,NOTICE}*', { cwd: folder }).map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  );
  return [`${name} ${version} (${license})`, ...texts];
});
writeFileSync(join(INTO, 'LICENSES'), licences.join('\n\n'));
