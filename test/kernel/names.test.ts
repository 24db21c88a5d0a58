/** Processes that ask for a name that a rule lists are agents from then on, whatever way they ask. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusDocument } from '../../src/status.ts';
import { tell } from './conversation.ts';
import { Program, until } from './program.ts';
import { Bench, FIXTURES } from './taut.ts';

const NAME = 'api.model.example';

/** A bench whose only rules are about names. */
function namesBench(more = ''): Bench {
  const bench = new Bench();
  const rules = `  - id: model\n    name: model-client\n    dns: ["api.*.example"]\n${more}`;
  writeFileSync(bench.config, `version: 1\nbuiltin: false\nrules:\n${rules}`);
  return bench;
}

async function asker(script = join(FIXTURES, 'asker.py')): Promise<Program> {
  const world =
    'mount -t tmpfs none /mnt && echo nameserver 127.0.0.1 > /mnt/r && mount --bind /mnt/r /etc/resolv.conf';
  const program = new Program('unshare', ['--net', '--mount', 'sh', '-c', `${world} && exec python3 "$0"`, script]);
  await program.line(/^ready/);
  return program;
}

async function agents(bench: Bench): Promise<StatusDocument['agents']> {
  return (await bench.json<StatusDocument>('status')).agents;
}

test.each(['udp', 'sendto', 'udp6', 'tcp', 'two', 'big', 'glibc'])(
  'asked for by %s in another network namespace, a listed name makes exactly the asking process an agent',
  async (how) => {
    using bench = namesBench();
    await using program = await asker();
    await using other = await asker();
    await using taut = await bench.watch();
    await tell(other, `${how} elsewhere.example`);
    expect(await agents(bench)).toEqual([]);
    await tell(program, `${how} API.Model.EXAMPLE`); // 0x20: in any case
    await taut.line(/attached/);
    expect(await agents(bench)).toMatchObject([{ pid: program.pid, name: 'model-client', attachPath: 'dns' }]);
    const explained = await bench.json<{ evidence: string[] }>(
      'explain',
      String(program.pid),
      '--config',
      bench.config,
    );
    expect(explained.evidence.join()).toContain(`asked for ${NAME}`);
  },
);

test('a port that is not listed is no resolver', async () => {
  using bench = namesBench();
  await using program = await asker();
  await using taut = await bench.watch();
  await tell(program, `port ${NAME}`);
  await tell(program, `udp ${NAME}`);
  await taut.line(/attached/);
  expect(taut.errors.filter((line) => line.includes('attached'))).toHaveLength(1);
});

test('a shared resolver that hands a question on is never the agent', async () => {
  using bench = namesBench();
  const dnsmasq = join(bench.dir, 'dnsmasq');
  symlinkSync(join(FIXTURES, 'asker.py'), dnsmasq);
  await using resolver = await asker(dnsmasq);
  await using client = await asker();
  await using taut = await bench.watch();
  await tell(resolver, `udp ${NAME}`);
  await tell(client, `udp ${NAME}`);
  await taut.line(/attached/);
  expect((await agents(bench)).map((a) => a.pid)).toEqual([client.pid]);
});

test('deny wins by name, too, also over a process that was an agent before', async () => {
  using bench = namesBench('  - { id: never, action: deny, dns: "forbidden.example" }\n');
  await using program = await asker();
  await using taut = await bench.watch();
  await tell(program, `udp ${NAME}`);
  await taut.line(/attached/);
  await tell(program, 'udp forbidden.example');
  await until('it is let go', async () => (await agents(bench)).length === 0);
  expect(await bench.json('explain', String(program.pid), '--config', bench.config)).toMatchObject({
    decision: 'deny',
    rule: 'never',
  });
});
