/** A rule that asks for a control group is about the processes that are in it now, not about those that were at their start. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/agents/status.ts';
import { cgroupRootOf } from '../../src/discovery/network/cgroupRoot.ts';
import { until } from '../support/program.ts';
import { sleeper } from '../support/sleeper.ts';
import { Sandbox } from '../support/taut.ts';

const root = cgroupRootOf(readFileSync('/proc/self/mountinfo', 'latin1')) ?? '';

/** A control group that is removed at the end, when its processes have ended. */
class Group implements Disposable {
  readonly path: string;

  constructor(name: string) {
    this.path = join(root, name);
    mkdirSync(this.path);
  }

  take(pid: number): void {
    writeFileSync(join(this.path, 'cgroup.procs'), String(pid));
  }

  [Symbol.dispose](): void {
    rmdirSync(this.path);
  }
}

const release = (pid: number) => writeFileSync(join(root, 'cgroup.procs'), String(pid));

test.each([
  ['with the kernel’s events', ''],
  ['without them', 'bpf'],
])(
  'who is moved into the group that a rule asks for is an agent until it is moved out again, %s',
  async (_, without) => {
    using sandbox = new Sandbox();
    using group = new Group(`${basename(sandbox.dir)}-agents`);
    using excepted = new Group(`${basename(sandbox.dir)}-batch`);
    sandbox.useRules([
      { id: 'placed', anyArg: `${sandbox.mark}-placed`, cgroup: `/${basename(group.path)}` },
      { id: 'anywhere', anyArg: `${sandbox.mark}-anywhere` },
      { id: 'interactive', anyArg: `${sandbox.mark}-interactive`, not: { cgroup: '*-batch' } },
    ]);
    await using placed = await sleeper(sandbox, `${sandbox.mark}-placed`);
    await using anywhere = await sleeper(sandbox, `${sandbox.mark}-anywhere`);
    await using interactive = await sleeper(sandbox, `${sandbox.mark}-interactive`);
    await using _taut = sandbox.tautWith({ TAUT_WITHOUT: without }, 'watch', '--config', sandbox.config);
    const rules = async () => {
      const { agents } = await sandbox.json<StatusDocument>('status');
      return new Map(agents.map(({ pid, rule }) => [pid, rule]));
    };
    const found = async (...expected: [number, string][]) =>
      until(`${JSON.stringify(expected)} are found`, async () => {
        const now = await rules().catch(() => new Map());
        return now.size === expected.length && expected.every(([pid, rule]) => now.get(pid) === rule);
      });
    const others: [number, string][] = [
      [anywhere.pid, 'anywhere'],
      [interactive.pid, 'interactive'],
    ];
    await found(...others);
    for (const program of [placed, anywhere]) group.take(program.pid);
    await found(...others, [placed.pid, 'placed']);
    const { sources } = await sandbox.json<{ sources: { source: string }[] }>('explain', String(placed.pid));
    expect(sources.at(-1)?.source).toBe(without ? 'scan' : 'move');
    for (const program of [placed, anywhere]) release(program.pid);
    await found(...others);
    excepted.take(interactive.pid);
    await found([anywhere.pid, 'anywhere']);
    release(interactive.pid);
    await found(...others);
  },
);
