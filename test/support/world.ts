/** Network namespaces for tests, with a resolver and servers inside, and rules about names and connections. */
import { join } from 'node:path';
import type { StatusDocument } from '../../src/agents/status.ts';
import { Program } from './program.ts';
import { FIXTURES, type Sandbox } from './taut.ts';

/** A rule whose agents are all called `model-client`. */
export const modelClient = (conditions: object) => ({ id: 'model', name: 'model-client', ...conditions });

/** A process in its own network namespace that obeys commands; its resolver is another process. */
export async function asker(script = join(FIXTURES, 'asker.py')): Promise<Program> {
  const world =
    'mount -t tmpfs none /mnt && echo nameserver 127.0.0.1 > /mnt/r && mount --bind /mnt/r /etc/resolv.conf';
  const program = new Program('unshare', ['--net', '--mount', 'sh', '-c', `${world} && exec python3 "$0"`, script]);
  await program.line(/^ready/);
  return program;
}

export async function agents(sandbox: Sandbox): Promise<StatusDocument['agents']> {
  return (await sandbox.json<StatusDocument>('status')).agents;
}

/** Ids of the processes that a running taut has attached to, in that order. */
export function attached(taut: Program): number[] {
  return taut.errors.flatMap((line) => /attached to .*\((\d+)\)/.exec(line)?.[1] ?? []).map(Number);
}

export async function evidence(sandbox: Sandbox, pid: number): Promise<string> {
  const explained = await sandbox.json<{ evidence: string[] }>('explain', String(pid), '--config', sandbox.config);
  return explained.evidence.join();
}
