/** Where a process comes from and runs: of no account for what it is, and of much for whoever reads its trace. */
import { optional, type ProcHandle } from './handle.ts';

/** Where a process comes from and runs. */
export interface Place {
  /** The executable's name, without its folder; undefined when the kernel won't say. */
  readonly executable: string | undefined;
  /** The id of the innermost container. */
  readonly container: string | undefined;
}

/** Its executable's name, without the folder, and the id of its innermost container; undefined where there is none. */
export function placeOf(process: ProcHandle): Place {
  const path = process.link('exe');
  return {
    executable: path?.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, ''),
    container: containerId(optional(() => cgroupsOf(process), [])),
  };
}

/**
 * Docker, containerd, CRI-O and Podman name a container's control group after it, alone or as part of a unit
 * (`docker-ID.scope`); Amazon's ECS does in its own way.
 */
const CONTAINER = /(?:^|[/:-])([0-9a-f]{64}|[0-9a-f]{32}-\d{8,10})(?=\.scope(?:\/|$)|\/|$)/g;

/** The container's id in the paths of a process's control groups; of nested ones the innermost. Pure. */
export function containerId(cgroups: readonly string[]): string | undefined {
  const ids = cgroups.map((path) => [...path.matchAll(CONTAINER)].at(-1)?.[1]);
  return ids.find((id) => id !== undefined);
}

/** Paths of its control groups: containers and services show in them. */
export function cgroupsOf(process: ProcHandle): string[] {
  const lines = process.read('cgroup', 65_536).toString('utf8').trim().split('\n');
  return lines.map((line) => line.split(':').slice(2).join(':'));
}
