/** Where a process runs, and whose it is: no part of its identity, but useful to a reader of its trace, and to flags. */
import { optional, type ProcHandle } from './handle.ts';
import { userNameOf } from './users.ts';

export interface Origin {
  /** Name of the executable, without its folder; undefined when the kernel does not show it. */
  readonly executable: string | undefined;
  /** Id of the innermost container; undefined outside of containers. */
  readonly container: string | undefined;
  /** Id of the Kubernetes pod; undefined outside of pods. */
  readonly podUid: string | undefined;
  /** Name of the effective user, or the id where it has none; read when it is asked for, as /etc/passwd may be long. */
  readonly user: string | undefined;
}

/** Each is undefined when it is unknown. */
export function originOf(process: ProcHandle): Origin {
  const cgroups = optional(() => cgroupsOf(process), []);
  return {
    executable: executableOf(process),
    container: containerId(cgroups),
    podUid: podUid(cgroups),
    get user() {
      return userNameOf(process);
    },
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

/** The kubelet names a pod's control group after its id, whose hyphens are underscores in the name of a unit. A static pod's has none. */
const POD = /(?:^|[/-])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=\.slice(?:\/|$)|\/|$)/;

/** The id of the pod in the paths of a process's control groups. Pure. */
export function podUid(cgroups: readonly string[]): string | undefined {
  const ids = cgroups.map((path) => (path.includes('kubepods') ? POD.exec(path)?.[1] : undefined));
  return ids.find((id) => id !== undefined)?.replaceAll('_', '-');
}

/** Paths of a process's control groups, which name containers and services. */
export function cgroupsOf(process: ProcHandle): string[] {
  const lines = process.read('cgroup', 65_536).toString('utf8').trim().split('\n');
  return lines.map((line) => line.split(':').slice(2).join(':'));
}
