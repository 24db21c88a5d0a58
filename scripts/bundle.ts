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
  keepNames: true, // messages and stack traces show the names of classes and functions
  sourcemap: true, // with `TAUT_DEBUG` stack traces name places in the sources
  sourcemapExcludeSources: true,
} as const;

/** Commander can run a program as a command, for which it loads sockets and streams; taut has no such command. */
const withoutPrograms = {
  name: 'without-programs',
  resolveId: (id: string, from?: string) =>
    id === 'node:child_process' && from?.includes('/node_modules/commander/') ? NO_PROGRAMS : undefined,
  load: (id: string) => (id === NO_PROGRAMS ? 'export default {};' : undefined),
};
const NO_PROGRAMS = '\0no-programs';

const commands = await build({
  ...SHARED,
  plugins: [withoutPrograms],
  input: { main: 'src/cli/main.ts', guardRestore: 'src/cli/guardRestore.ts' },
  // An ES module that imports from a module of Node evaluates every getter that it exports, so that node:http loads a whole
  // fetch, and node:fs the streams: 50 ms of CPU in each command.
  output: {
    ...WRITTEN,
    ...{ format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
    dir: join(ROOT, 'dist/cli'),
  },
});
const library = await build({
  ...SHARED,
  input: { index: 'src/index.ts' },
  external: ['@opentelemetry/api'],
  output: { ...WRITTEN, format: 'esm', sourcemap: false, dir: join(ROOT, 'dist/library') },
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
