/** Boots a kernel in qemu with software emulation, which every host can do; a kernel in it has BTF, kprobes and root. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Series } from './series.ts';

/** What a guest says: observations by name, one a line, and how it ended. */
export interface Booted {
  readonly report: ReadonlyMap<string, unknown>;
  /** Of the checks in the guest; undefined when the guest ended before it had one. */
  readonly exitCode: number | undefined;
  /** The first serial port: what the kernel and the checks said. */
  readonly console: string;
}

/** A guest has its whole run for this long, under emulation, beside whatever else this machine does. */
const LIMIT_MS = 580_000;

const MACHINES = {
  amd64: { qemu: 'qemu-system-x86_64', machine: ['-cpu', 'max', '-m', '1024'], tty: 'ttyS0' },
  // This machine has one serial port, so the report comes over the console, at the end.
  arm64: { qemu: 'qemu-system-aarch64', machine: ['-M', 'virt', '-cpu', 'cortex-a76', '-m', '1536'], tty: 'ttyAMA0' },
} as const;

const linesOf = (text: string) => text.replaceAll('\r', '').split('\n');
/** The guest's `init` marks these lines. */
const reported = (line: string) => /^report: (.*)/.exec(line)?.[1] ?? [];

export async function boot(kernel: string, initramfs: string, { arch, parameters }: Series): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'taut-boot-'));
  const report = join(dir, 'report');
  const { qemu, machine, tty } = MACHINES[arch];
  const child = spawn(
    qemu,
    // Not KVM where /dev/kvm is: the file may exist on hosts on which no guest runs. One thread for both CPUs: with a
    // thread each, a CPU may run into a breakpoint of code that the other has patched already, which panics the guest.
    [
      ...['-accel', 'tcg,thread=single', ...machine, '-smp', '2', '-nodefaults', '-no-reboot'],
      ...['-display', 'none', '-serial', 'stdio', ...(arch === 'amd64' ? ['-serial', `file:${report}`] : [])],
      ...['-kernel', kernel, '-initrd', initramfs, '-append', `console=${tty} loglevel=4 panic=-1 ${parameters}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let console = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (console += text.replaceAll('\r', '')));
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  try {
    await once(child, 'close');
    const lines = arch === 'amd64' ? linesOf(readFileSync(report, 'utf8')) : linesOf(console).flatMap(reported);
    const said = new Map(
      lines.filter((line) => line.endsWith(']')).map((line) => JSON.parse(line) as [string, unknown]),
    );
    const exitCode = said.get('exit code');
    return { report: said, exitCode: typeof exitCode === 'number' ? exitCode : undefined, console };
  } finally {
    clearTimeout(limit);
    rmSync(dir, { recursive: true, force: true });
  }
}
