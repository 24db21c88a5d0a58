/** What /proc says of the agents in a world, without taut: what taut found is held against it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Installed } from './install.ts';
import type { World } from './world.ts';

/** What is gone meanwhile is as if it were not there. */
function optional<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

const link = (path: string) => optional(() => readlinkSync(path), '');
const text = (path: string) => optional(() => readFileSync(path, 'utf8'), '');

/** Every process of a world's network namespace, its servers included. */
export function inhabitants(world: World): number[] {
  const namespace = link(`/proc/${world.pid}/ns/net`);
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.filter((pid) => link(`/proc/${pid}/ns/net`) === namespace).map(Number);
}

/**
 * Those that run an installed program: their executable, or the script of their interpreter, is in its folder. A script that
 * started another of them is a part of that one.
 */
export function runners(world: World, { folder }: Installed): number[] {
  const all = inhabitants(world).filter((pid) => {
    const argv = text(`/proc/${pid}/cmdline`).split('\0');
    const script = argv.slice(1).find((argument) => !argument.startsWith('-'));
    const isShell = /\/(ba|da)?sh$/.test(link(`/proc/${pid}/exe`));
    const runs = [link(`/proc/${pid}/exe`), script ?? ''].some((path) => path.startsWith(`${folder}/`));
    return runs && !isShell;
  });
  const parents = new Set(all.map((pid) => Number(/^PPid:\s+(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1])));
  return all.filter((pid) => !parents.has(pid) || link(`/proc/${pid}/exe`).startsWith(`${folder}/`));
}

/** Those that hold an established TCP connection to an address's port 443. */
export function connected(world: World, address: string): number[] {
  const inodes = new Set(
    ['tcp', 'tcp6'].flatMap((table) =>
      text(`/proc/${world.pid}/net/${table}`)
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[2]?.endsWith(`${kernelHex(address)}:01BB`) && fields[3] === '01')
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  return inhabitants(world).filter((pid) =>
    optional(() => readdirSync(`/proc/${pid}/fd`), []).some((fd) => inodes.has(link(`/proc/${pid}/fd/${fd}`))),
  );
}

/** With blanks between its words; empty when it is gone. */
export function commandLine(pid: number): string {
  return text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** The timer slack of every thread of a process, nanoseconds. */
export function slacks(pid: number): number[] {
  const threads = optional(() => readdirSync(`/proc/${pid}/task`), []);
  return threads.flatMap((tid) => text(`/proc/${tid}/timerslack_ns`).split('\n').slice(0, -1)).map(Number);
}

/** As /proc/net/tcp writes an IPv4 address, which is how a mapped one ends in tcp6. */
function kernelHex(address: string): string {
  const bytes = Uint8Array.from(address.split('.'), Number);
  const word = new DataView(bytes.buffer).getUint32(0, true); // of a little-endian machine, as all that taut runs on are
  return word.toString(16).toUpperCase().padStart(8, '0');
}
