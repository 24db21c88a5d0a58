/** The guest's whole world: busybox, Node with its libraries, taut as it is built, and the checks. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, type World } from './world.ts';

const FIXTURES = 'test/kernel/fixtures';

/** Of this clone, for every processor. */
const TAUT = ['package.json', 'dist', 'bin/taut', `${FIXTURES}/agent.mjs`];
const BUILT = ['Release/taut.node', 'taut.bpf.o', 'names.bpf.o', 'taut-guard', 'taut-hold'];
/** Of packages only what runs: most of their bytes are types, maps, and Node's headers. */
const NEEDED = /(\.([cm]?js|json|node|wasm)|\/bin\/node)$/;

/** What taut needs to run: every package that the lock file does not mark as one for its development, but for Node. */
function runtimePackages(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; cpu?: unknown }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, cpu }]) => path !== '' && !dev && cpu === undefined)
    .map(([path]) => path);
}

/** Builds it in `dir`. @returns the path of the archive. */
export function buildInitramfs(dir: string, world: World): string {
  const tree = join(dir, 'tree');
  const copy = (from: string, to: string, filter = (_path: string) => true) => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(from, join(tree, to), { recursive: true, dereference: true, filter });
  };
  for (const path of TAUT) copy(join(ROOT, path), join('taut', path));
  for (const path of BUILT) copy(join(world.build, path), join('taut/build', path));
  const runs = (path: string) => statSync(path).isDirectory() || NEEDED.test(path);
  for (const path of runtimePackages()) copy(join(ROOT, path), join('taut', path), runs);
  copy(world.node.from, join('taut', world.node.to), runs);
  // Compiled, checks and all: to strip types as it starts takes Node half a minute there.
  const emit = ['-p', 'test', '--noEmit', 'false', '--declaration', 'false', '--sourceMap', 'false', '--outDir'];
  execFileSync('node_modules/.bin/tsc', [...emit, join(tree, 'taut')], { cwd: ROOT });
  for (const { from, to } of world.libraries) copy(from, to);
  copy(world.busybox, '/bin/busybox');
  copy(join(import.meta.dirname, 'guest/init'), '/init');
  chmodSync(join(tree, 'init'), 0o755);
  const waits = join(tree, 'taut', FIXTURES, 'waits');
  execFileSync(world.cc, ['-static', '-O1', '-pthread', '-o', waits, join(ROOT, FIXTURES, 'waits.c')]);
  // Not compressed: the guest would spend longer on unpacking it than qemu does on handing it over.
  const archive = join(dir, 'initramfs.cpio');
  execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc >"$0" 2>/dev/null', archive], { cwd: tree });
  return archive;
}
