/** The name of a program without what packagers put around it. Pure. */

const MACHINE = '(?:x86[_-]64|x64|amd64|aarch64|arm64|armv[67]\\w*|armhf|i[3-6]86|riscv64\\w*|ppc64le|s390x)';
const BUILD = '(?:[-_](?:musl|gnu|glibc|baseline|modern))*';
const CHANNEL = '(?:alpha|beta|canary|latest|nightly|preview|stable)';
/** Of a program that was moved away for a script of its name, or for a newer one. */
const MOVED = '(?:raw|real|orig|bin|distrib|old|new|prev|bak|dpkg-\\w+)';
const VERSION = `\\d+(?:\\.\\d+)+(?:-?(?:rc|${CHANNEL})[.\\d-]*)?`;

const DECORATIONS = [
  // Nix: `.claude-wrapped` is what the wrapper `claude` runs; wrapped twice, it ends in an underscore.
  /^\.+(.+?)(?:-(?:un)?wrapped[_\d]*)+$/,
  /^(.+)-unwrapped$/,
  new RegExp(`^(.+)[-.]${MOVED}$`),
  /^([^~]+)~$/,
  // Which version it is: `codex-0.169.0`, `goose_v1.9.3`, `codex-0.170.0-alpha.3`, `opencode-nightly`.
  new RegExp(`^(.*[a-z].*?)[-_@]v?${VERSION}$`, 'i'),
  new RegExp(`^(.+)[-_.]${CHANNEL}$`, 'i'),
  // The file of a release: `codex-x86_64-unknown-linux-musl`, `claude-linux-x64`, `codex-arm64`.
  new RegExp(`^(.+?)[-_.]${MACHINE}(?:-[a-z]+)?-linux(?:-[a-z0-9]+)?$`, 'i'),
  new RegExp(`^(.+?)[-_.](?:linux[-_])?${MACHINE}${BUILD}$`, 'i'),
  // A native program that is hidden beside the script that starts it: `bin/.kilo` beside `bin/kilo`.
  /^\.+([^.].*)$/,
];

/** What all decorations have in common: most names have none, and each program that runs on the host is asked about. */
const MAY_BE_DECORATED = new RegExp(
  ['^\\.', '~$', 'wrapped[_\\d]*$', `[-.]${MOVED}$`, '\\.\\d', `[-_.]${CHANNEL}$`, 'linux', `[-_.]${MACHINE}`].join(
    '|',
  ),
  'i',
);

const ENDING = /\.(?:exe|[cm]?[jt]sx?|py)$/i;

/** `.claude-wrapped` -> `claude`, `codex-raw` -> `codex`, `.kilo` -> `kilo`. */
export function undecorated(name: string): string {
  if (!MAY_BE_DECORATED.test(name)) return name;
  for (const decoration of DECORATIONS) {
    const plain = decoration.exec(name)?.[1];
    if (plain) return undecorated(plain);
  }
  return name;
}

/** The name without an ending such as `.js` or `.exe`. */
export function stemOf(name: string): string {
  return name.includes('.') ? name.replace(ENDING, '') : name;
}

/** The name of a program, without an ending and without decoration. */
export function plainName(name: string): string {
  const plain = undecorated(name);
  const stem = stemOf(plain);
  return stem === plain ? plain : undecorated(stem);
}

/** The file name of an executable. The kernel says behind the path when another file has taken its place. */
export function nameOfExecutable(exe: string | undefined): string {
  return basename(exe ?? '').replace(/ \(deleted\)$/, '');
}

/**
 * The file name of a program that is given as a path or as an address (`deno run https://…`). User, password, query and
 * fragment of an address may be secrets, and a name goes into logs and telemetry.
 */
export function fileName(given: string): string {
  if (!given.includes('://')) return basename(given);
  const [path = ''] = given.split(/[?#]/, 1);
  return basename(path.replace(/:\/\/[^/]*@/, '://').replace(/\/+$/, ''));
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
