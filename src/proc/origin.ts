/** The executable and the container of a process: no part of its identity, but useful to a reader of its trace. */
import { optional, type ProcHandle } from './handle.ts';

/** The executable and the container of a process. */
export interface Origin {
  /** Name of the executable, without its folder; undefined when the kernel does not show it. */
  readonly executable: string | undefined;
  /** Id of the innermost container; undefined outside of containers. */
  readonly container: string | undefined;
}

/** Reads the executable's name and the innermost container's id; each is undefined when it is unknown. */
export function originOf(process: ProcHandle): Origin {
  return {
    executable: executableOf(process),
    container: containerId(optional(() => cgroupsOf(process), [])),
  };
}

/** Name of the executable, without its folder; undefined when the kernel does not show it. */
export function executableOf(process: ProcHandle): string | undefined {
  const path = process.link('exe');
  return path?.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '');
}

/**
 * Docker, containerd, CRI-O and Podman name a container's control group after its id, alone or in a unit name
 * (`docker-ID.scope`). Amazon ECS has ids of its own form.
 */
const CONTAINER = /(?:^|[/:-])([0-9a-f]{64}|[0-9a-f]{32}-\d{8,10})(?=\.scope(?:\/|$)|\/|$)/g;

/** The innermost container's id in the paths of a process's control groups. Pure. */
export function containerId(cgroups: readonly string[]): string | undefined {
  const ids = cgroups.map((path) => [...path.matchAll(CONTAINER)].at(-1)?.[1]);
  return ids.find((id) => id !== undefined);
}

/** Paths of a process's control groups, which name containers and services. */
export function cgroupsOf(process: ProcHandle): string[] {
  const lines = process.read('cgroup', 65_536).toString('utf8').trim().split('\n');
  return lines.map((line) => line.split(':').slice(2).join(':'));
}
