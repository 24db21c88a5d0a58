/**
 * Kernels, and what else a guest is made of, from the Debian archive that this machine's own apt is set up for, in an apt root of its own outside the tree.
 * Nothing is installed: files are taken out of their packages. Apt checks signatures and hashes as for any package.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Arch, SERIES, type Series } from './series.ts';

export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'taut-kernels');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const APT = join(CACHE, 'apt');
const ARCHES: readonly Arch[] = ['amd64', 'arm64'];
/** Where libraries for another architecture are from: the oldest release that is supported, so that they run anywhere. */
const LIBRARIES = { archive: 'Debian', suite: 'bookworm' } as const;

function run(command: string, args: readonly string[], cwd = CACHE): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 24 });
}

/** Instead of the machine's own lists, packages and sources; proxies and the like stay as they are configured. */
const OPTIONS = [
  `Dir::State=${APT}/state`,
  `Dir::State::status=${APT}/status`,
  `Dir::Cache=${APT}/cache`,
  `Dir::Etc::SourceList=${APT}/sources.list`,
  'Dir::Etc::SourceParts=-',
  // The cache is the user's own, where apt's unprivileged one has no business.
  'APT::Sandbox::User=root',
  ...ARCHES.map((arch) => `APT::Architectures::=${arch}`),
].flatMap((option) => ['-o', option]);

/** The mirrors that this machine uses, by what is there: `Debian`, `Debian-Security`. */
function mirrors(): Map<string, string> {
  const lines = run('apt-get', ['indextargets', '--format', '$(LABEL) $(REPO_URI)'], '/').split('\n');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** Fetches the lists of packages. @throws Error when there is no mirror, or it does not answer. */
function update(): void {
  for (const dir of ['state/lists/partial', 'cache/archives/partial']) mkdirSync(join(APT, dir), { recursive: true });
  const known = mirrors();
  const sources = [...SERIES, LIBRARIES].map(({ archive, suite }) => {
    const mirror = known.get(archive);
    if (!mirror) throw new Error(`apt knows no mirror of ${archive}; run apt-get update, on a Debian`);
    return `deb [arch=${ARCHES.join()} signed-by=${KEYRING}] ${mirror} ${suite} main\n`;
  });
  writeFileSync(join(APT, 'sources.list'), [...new Set(sources)].join(''));
  writeFileSync(join(APT, 'status'), '');
  run('apt-get', [...OPTIONS, '-qq', '--error-on=any', 'update']);
}

let updated: string | undefined;

/** Once a run. @returns why it failed; empty when it did not. */
function updateOnce(): string {
  if (updated !== undefined) return updated;
  try {
    update();
    updated = '';
  } catch (error) {
    updated = String((error as { stderr?: string }).stderr ?? error);
  }
  return updated;
}

/** By their numbers: 6.12.100 comes after 6.12.99. */
const byVersion = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true });

/** The package with the newest kernel of a series. From 6.19 on an image package only names the one that has the kernel. */
function newestPackage({ version, suite, flavour, arch }: Series): string {
  const pattern = `^linux-(image|binary)-${version.replaceAll('.', '\\.')}\\.[0-9.+a-z-]*-${flavour}-${arch}$`;
  const release = /deb13|deb12|deb11/;
  const own = { bullseye: 'deb11', bookworm: 'deb12', trixie: 'deb13' }[suite.split('-')[0] ?? ''];
  const names: string[] = run('apt-cache', [...OPTIONS, 'search', '--names-only', pattern]).match(/^\S+/gm) ?? [];
  // A suite also carries its successors' kernels, rebuilt; those have its name in their version.
  const candidates = names.filter((name) => (release.exec(name)?.[0] ?? own) === own);
  const newest = candidates
    .map((name) => name.replace(/^linux-(image|binary)-/, ''))
    .toSorted(byVersion)
    .at(-1);
  const found = ['binary', 'image'].map((kind) => `linux-${kind}-${newest}`).find((name) => names.includes(name));
  if (!found) throw new Error(`${suite} has no ${flavour} kernel ${version}`);
  return found;
}

/** Fetches packages, and unpacks them together in `dir`. @param names like `zlib1g:arm64` */
function unpack(names: readonly string[], dir: string): void {
  process.stderr.write(`fetching ${names.join(', ')}\n`);
  run('apt-get', [...OPTIONS, '-qq', 'download', ...names], dir);
  for (const deb of readdirSync(dir).filter((name) => name.endsWith('.deb'))) {
    run('dpkg-deb', ['-x', deb, '.'], dir);
    rmSync(join(dir, deb));
  }
}

/** A folder with what these packages install, for another architecture. Fetched once; what is there is taken again. */
export function foreignPackages(names: readonly string[], arch: Arch): string {
  const dir = join(CACHE, `${LIBRARIES.suite}-${arch}`);
  const list = names.join(' ');
  const stamp = join(dir, '.packages');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === list) return dir;
  mkdirSync(CACHE, { recursive: true });
  const failed = updateOnce();
  if (failed) throw new Error(`packages for ${arch} can't be fetched: ${failed}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  unpack(
    names.map((name) => `${name}:${arch}`),
    dir,
  );
  writeFileSync(stamp, list);
  return dir;
}

/** Takes the kernel out of a package. */
function download(name: string, image: string): void {
  const dir = mkdtempSync(join(CACHE, 'package-'));
  try {
    unpack([name], dir);
    const kernel = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((path) => /\/vmlinuz[^/]*$/.test(path));
    if (!kernel) throw new Error(`there is no kernel in ${name}`);
    renameSync(join(dir, kernel), image);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The newest kernel of a series, as a file to boot; with no mirror in reach, the newest that was fetched before. */
export function kernelImage(series: Series): string {
  mkdirSync(CACHE, { recursive: true });
  const failed = updateOnce();
  const prefix = `vmlinuz-${series.version}-${series.flavour}-`;
  const isIts = (name: string) => name.startsWith(prefix) && name.endsWith(`-${series.arch}`);
  const had = readdirSync(CACHE).filter(isIts);
  if (failed) {
    const newest = had.toSorted(byVersion).at(-1);
    if (!newest) throw new Error(`kernel ${series.version} can't be fetched: ${failed}`);
    process.stderr.write(`the archive can't be reached, so ${newest} is taken: ${failed}\n`);
    return join(CACHE, newest);
  }
  const name = newestPackage(series);
  const image = `${prefix}${name}`;
  if (!existsSync(join(CACHE, image))) download(`${name}:${series.arch}`, join(CACHE, image));
  for (const old of had) if (old !== image) rmSync(join(CACHE, old));
  return join(CACHE, image);
}
