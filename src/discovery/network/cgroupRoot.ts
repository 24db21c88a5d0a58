/** Where the cgroup v2 hierarchy is mounted, which may be beside v1. Pure. */

/** @param mountinfo as /proc/self/mountinfo has it. @returns the mount of the hierarchy's own root. */
export function cgroupRootOf(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const end = line.lastIndexOf(' - ');
    if (end < 0 || !line.startsWith('cgroup2 ', end + 3)) continue;
    // id, parent, device, the directory of the file system that is mounted, where.
    const [, , , directory, mount] = line.slice(0, end).split(' ');
    if (directory === '/' && mount !== undefined) return unescaped(mount);
  }
  return undefined;
}

/** The kernel writes blanks and backslashes of a path in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
