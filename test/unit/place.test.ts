/** Where taut runs, by what the kernel shows of its own process. */
import { expect, test } from 'vitest';
import { placeAttributes } from '../../otel/place.ts';

const ID = 'c'.repeat(64);
const POD = '6f8bd8fa-0b2d-4c7c-a1b5-6c6f6f1c2d3e';
const mount = (root: string, at: string) => `1 2 253:0 ${root} ${at} rw,relatime - ext4 /dev/vda1 rw`;
const files = (shown: Record<string, string>) => (path: string) => shown[path] ?? '';
const mountinfo = '/proc/self/mountinfo';
const cgroup = '/proc/self/cgroup';

test('on the host there is no place to tell', () => {
  const docker = mount(`/var/lib/docker/containers/${ID}/mounts/shm`, `/var/lib/docker/containers/${ID}/mounts/shm`);
  const read = files({ [cgroup]: '0::/system.slice/taut.service\n', [mountinfo]: `${docker}\n` });
  expect(placeAttributes(read)).toEqual({});
});

test('the control group names the container; where it is hidden, the mounts of its files do', () => {
  expect(placeAttributes(files({ [cgroup]: `0::/system.slice/docker-${ID}.scope\n` }))).toEqual({ 'container.id': ID });
  const hostname = mount(`/var/lib/docker/containers/${ID}/hostname`, '/etc/hostname');
  expect(placeAttributes(files({ [cgroup]: '0::/\n', [mountinfo]: `${hostname}\n` }))).toEqual({ 'container.id': ID });
});

test('in Kubernetes the pod, its namespace and the name of the container are told as well', () => {
  const namespace = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';
  const slice = `/kubepods.slice/kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`;
  expect(placeAttributes(files({ [cgroup]: `0::${slice}\n`, [namespace]: 'agents\n' }))).toEqual({
    'container.id': ID,
    'k8s.pod.uid': POD,
    'k8s.namespace.name': 'agents',
  });
  const mounts = [
    mount(`/var/lib/kubelet/pods/${POD}/etc-hosts`, '/etc/hosts'),
    mount(`/var/lib/kubelet/pods/${POD}/containers/taut/1a2b3c4d`, '/dev/termination-log'),
  ];
  expect(placeAttributes(files({ [cgroup]: '0::/\n', [mountinfo]: mounts.join('\n') }))).toEqual({
    'k8s.pod.uid': POD,
    'k8s.container.name': 'taut',
  });
});
