/** Where the cgroup v2 hierarchy is mounted, which may be beside v1. Pure. */

/**
 * @param mountinfo as /proc/self/mountinfo has it. @returns the mount of the hierarchy's own root, or, where only a part of it
 * is mounted (in a container), of that part.
 */
export function cgroupRootOf(mountinfo: string): string | undefined {
  let part: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const end = line.lastIndexOf(' - ');
    if (end < 0 || !line.startsWith('cgroup2 ', end + 3)) continue;
    // id, parent, device, the directory of the file system that is mounted, where.
    const [, , , directory, mount] = line.slice(0, end).split(' ');
    if (mount === undefined) continue;
    if (directory === '/') return unescaped(mount);
    part ??= unescaped(mount);
  }
  return part;
}

/** The kernel writes blanks and backslashes of a path in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
