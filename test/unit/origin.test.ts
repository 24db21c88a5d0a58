import { expect, test } from 'vitest';
import { containerId } from '../../src/proc/origin.ts';

const ID = '4f2b9c7d'.repeat(8);
const INNER = '0123456789abcdef'.repeat(4);

test.each([
  ['Docker, control groups v2 and systemd', `/system.slice/docker-${ID}.scope`, ID],
  ['Docker, cgroupfs', `/docker/${ID}`, ID],
  ['its init below', `/docker/${ID}/init.scope`, ID],
  ['Podman', `/machine.slice/libpod-${ID}.scope/container`, ID],
  ['containerd of Kubernetes', `/kubepods.slice/kubepods-podabc.slice/cri-containerd-${ID}.scope`, ID],
  ['containerd, cgroupfs', `/system.slice/containerd.service/kubepods-burstable-podabc.slice:cri-containerd:${ID}`, ID],
  ['CRI-O', `/kubepods.slice/kubepods-podabc.slice/crio-${ID}.scope`, ID],
  ['Kubernetes, cgroupfs', `/kubepods/besteffort/pod0a1b2c3d-1111-2222-3333-444455556666/${ID}`, ID],
  ['ECS', `/ecs/${'a'.repeat(32)}/${'a'.repeat(32)}-1234567890`, `${'a'.repeat(32)}-1234567890`],
  ['one within another', `/docker/${ID}/docker/${INNER}`, INNER],
  ['from another control group namespace', `/../docker-${ID}.scope`, ID],
])('%s', (_, path, id) => {
  expect(containerId([path])).toBe(id);
});

test.each([
  '/',
  '/user.slice/user-1000.slice/session-3.scope',
  `/system.slice/${ID}0`,
  `/docker/${ID.slice(1)}`,
  `/docker-${ID}.service`,
])('%s is no container', (path) => {
  expect(containerId([path])).toBeUndefined();
});

test('of several hierarchies the one that knows it says', () => {
  expect(containerId(['/', `/docker/${ID}`, '/user.slice'])).toBe(ID);
  expect(containerId([])).toBeUndefined();
});
