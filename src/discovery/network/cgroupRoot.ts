/** Finds the mount of the cgroup v2 hierarchy, also when cgroup v1 is mounted beside it. Pure. */

/**
 * @param mountinfo the text of /proc/self/mountinfo.
 * @returns where the root of the hierarchy is mounted; if only a part is mounted (in a container), where that part is.
 */
export function cgroupRootOf(mountinfo: string): string | undefined {
  let part: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const end = line.lastIndexOf(' - ');
    if (end < 0 || !line.startsWith('cgroup2 ', end + 3)) continue;
    // The fields are: id, parent, device, the mounted directory of the file system, the mount point.
    const [, , , directory, mount] = line.slice(0, end).split(' ');
    if (mount === undefined) continue;
    if (directory === '/') return unescaped(mount);
    part ??= unescaped(mount);
  }
  return part;
}

/** Decodes a path: the kernel writes blanks and backslashes in octal. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
