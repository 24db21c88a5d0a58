/** The guest's whole world: busybox, Node with its libraries, taut as it is built, and the checks. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const BUSYBOX = '/bin/busybox';
const FIXTURES = 'test/kernel/fixtures';

/** Of this clone. */
const TAUT = [
  'package.json',
  'dist',
  'bin/taut',
  'build/Release/taut.node',
  'build/taut.bpf.o',
  'build/names.bpf.o',
  'build/taut-guard',
  `${FIXTURES}/agent.mjs`,
];
/** Of packages only what runs: most of their bytes are types, maps, and Node's headers. */
const NEEDED = /(\.([cm]?js|json|node|wasm)|\/bin\/node)$/;

/** What taut needs to run: every package that the lock file does not mark as one for its development. */
function runtimePackages(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; cpu?: string[] }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, cpu = [process.arch] }]) => path !== '' && !dev && cpu.includes(process.arch))
    .map(([path]) => path);
}

/** The libraries that a program or an addon is linked with, and its loader. */
function libraries(path: string): string[] {
  return spawnSync('ldd', [path], { encoding: 'utf8' }).stdout.match(/\/\S+(?= \(0x)/g) ?? []; // none: it is static
}

/** Builds it in `dir`. @returns the path of the archive. */
export function buildInitramfs(dir: string): string {
  const tree = join(dir, 'tree');
  const copy = (from: string, to: string, filter = (_path: string) => true) => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(from, join(tree, to), { recursive: true, dereference: true, filter });
  };
  for (const path of TAUT) copy(join(ROOT, path), join('taut', path));
  const runs = (path: string) => statSync(path).isDirectory() || NEEDED.test(path);
  for (const path of runtimePackages()) copy(join(ROOT, path), join('taut', path), runs);
  // Compiled, checks and all: to strip types as it starts takes Node half a minute there.
  const emit = ['-p', 'test', '--noEmit', 'false', '--declaration', 'false', '--sourceMap', 'false', '--outDir'];
  execFileSync('node_modules/.bin/tsc', [...emit, join(tree, 'taut')], { cwd: ROOT });
  const node = realpathSync(process.execPath);
  const addon = join(ROOT, 'build/Release/taut.node');
  for (const library of new Set([node, addon, BUSYBOX].flatMap(libraries))) copy(library, library);
  copy(BUSYBOX, BUSYBOX);
  copy(join(import.meta.dirname, 'guest/init'), '/init');
  chmodSync(join(tree, 'init'), 0o755);
  const waits = join(tree, 'taut', FIXTURES, 'waits');
  execFileSync('gcc', ['-static', '-O1', '-pthread', '-o', waits, join(ROOT, FIXTURES, 'waits.c')]);
  // Not compressed: the guest would spend longer on unpacking it than qemu does on handing it over.
  const archive = join(dir, 'initramfs.cpio');
  execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc >"$0" 2>/dev/null', archive], { cwd: tree });
  return archive;
}
