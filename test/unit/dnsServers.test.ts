/** Who serves DNS: searched one at a time for each process, and a "no" is not asked for again. */
import { expect, test } from 'vitest';
import { type BoundSockets, DnsServers } from '../../src/discovery/network/dnsServers.ts';

/** A host on which every search ends when the test says so. */
class Searched implements BoundSockets {
  bound = [7];
  readonly searches: { readonly pid: number; readonly end: (holds: boolean) => void }[] = [];

  async inodesBoundTo(): Promise<number[]> {
    return this.bound;
  }

  holdsSocket(pid: number): Promise<boolean> {
    return new Promise((end) => this.searches.push({ pid, end }));
  }

  /** Ends the searches that were begun. @returns how many there were. */
  async end(holds: boolean): Promise<number> {
    await new Promise(setImmediate);
    const ended = this.searches.splice(0);
    for (const { end } of ended) end(holds);
    await new Promise(setImmediate);
    return ended.length;
  }
}

test('a process that asks a thousand times is searched once, and all hear the answer', async () => {
  const sockets = new Searched();
  const servers = new DnsServers([53], sockets);
  for (const holds of [false, true]) {
    const pid = holds ? 2 : 1;
    const answers = Array.from({ length: 1_000 }, () => servers.has(pid, 100));
    expect(await sockets.end(holds)).toBe(1);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([holds]));
    expect(await servers.has(pid, 100)).toBe(holds);
    expect(sockets.searches).toEqual([]);
  }
});

test('a "no" does not hold for another process with its id, nor a "yes"', async () => {
  const sockets = new Searched();
  const servers = new DnsServers([53], sockets);
  for (const [startTicks, holds] of [
    [100, false],
    [200, true],
    [300, false],
  ] as const) {
    const answer = servers.has(1, startTicks);
    expect(await sockets.end(holds)).toBe(1);
    expect(await answer).toBe(holds);
  }
});

test('a process that may have bound a socket since is searched again, at a hundredth of the time; where none is bound it is not', async () => {
  const sockets = new Searched();
  let now = 0;
  const servers = new DnsServers([53], sockets, () => now);
  const no = servers.has(1, 100);
  await new Promise(setImmediate);
  now = 10; // it has taken 10 ms
  await sockets.end(false);
  expect(await no).toBe(false);
  sockets.bound = [7, 8];
  now = 1_009;
  expect(await servers.has(1, 100)).toBe(false);
  now = 1_010;
  const yes = servers.has(1, 100);
  expect(await sockets.end(true)).toBe(1);
  expect(await yes).toBe(true);
  sockets.bound = [];
  expect(await servers.has(2, 100)).toBe(false);
  expect(sockets.searches).toEqual([]);
});
