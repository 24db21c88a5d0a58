/** Where taut itself runs, as far as the kernel and Kubernetes show it: its container and its pod. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import { containerId } from '../src/proc/origin.ts';
import * as semconv from '../src/telemetry/semconv.ts';

/** The text of a file; empty when there is none. */
export type Read = (path: string) => string;

/** Runtimes mount the files of a container over these, from folders that have its ids in their names. */
const MOUNTED = ['/etc/hostname', '/etc/hosts', '/dev/termination-log'];
const IN_MOUNT = /\/containers\/([0-9a-f]{64})\//;
const POD = /\bpod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})\b/;
const IN_KUBELET = /\/pods\/([0-9a-f-]{36})\/(?:containers\/([^/]+)\/)?/;
const NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/**
 * Up to version 2.13 Jaeger's page asks this attribute, which OpenTelemetry does not know, whether two spans are of one
 * host. Without it every span that comes after its root has ended, like `revert`, gets a warning about skewed clocks.
 */
const JAEGER_HOST = 'ip';

/** What the resource has for one backend alone. */
export function hostForJaeger(): Attributes {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return { [JAEGER_HOST]: addresses.find(({ internal }) => !internal)?.address ?? '127.0.0.1' };
}

/** Attributes of the resource; those that do not show are left out. */
export function placeAttributes(read: Read = readIfAny): Attributes {
  const cgroups = lines(read('/proc/self/cgroup')).map((line) => line.split(':').slice(2).join(':'));
  // Behind a control group namespace only mounts show the ids.
  const mounts = lines(read('/proc/self/mountinfo')).map((line) => line.split(' '));
  const roots = mounts.filter(([, , , , at = '']) => MOUNTED.includes(at)).map(([, , , root = '']) => root);
  const container = containerId(cgroups) ?? first(roots, IN_MOUNT);
  const pod = first(cgroups, POD)?.replaceAll('_', '-') ?? first(roots, IN_KUBELET);
  const name = roots.map((root) => IN_KUBELET.exec(root)?.[2]).find((its) => its !== undefined);
  const namespace = pod === undefined ? '' : read(NAMESPACE).trim();
  return {
    ...(container !== undefined && { [semconv.ATTR_CONTAINER_ID]: container }),
    ...(pod !== undefined && { [semconv.ATTR_K8S_POD_UID]: pod }),
    ...(name !== undefined && { [semconv.ATTR_K8S_CONTAINER_NAME]: name }),
    ...(namespace !== '' && { [semconv.ATTR_K8S_NAMESPACE_NAME]: namespace }),
  };
}

function first(texts: readonly string[], pattern: RegExp): string | undefined {
  return texts.map((text) => pattern.exec(text)?.[1]).find((found) => found !== undefined);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
