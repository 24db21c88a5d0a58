/** A machine whose /proc is not there, or shows processes alone: taut says that, and keeps no command from running. */
import { expect, test } from 'vitest';
import { outcome, Program } from '../support/program.ts';
import { LAUNCHER, Sandbox } from '../support/taut.ts';

/** Each in a mount namespace of its own. The process that starts them all needs /proc until then. */
const WORLDS: readonly (readonly [string, RegExp])[] = [
  ['umount -l /proc', /no \/proc is mounted here, .*mount -t proc proc \/proc/],
  ['mount -t proc -o subset=pid none /proc', /this \/proc shows nothing but processes .*ProcSubset=all/],
];

function inWorld(mount: string, command: readonly string[]): Program {
  return new Program('timeout', ['60', 'unshare', '--mount', 'sh', '-c', `${mount}; exec "$@"`, 'sh', ...command]);
}

test.each(WORLDS)(
  'after %s each command that looks at processes says it in a line, and ends with 3',
  async (mount, said) => {
    using sandbox = new Sandbox();
    for (const words of ['watch', 'attach 1', 'status', 'explain 1', 'restore', 'doctor']) {
      const [command = '', ...args] = words.split(' ');
      const taut = [LAUNCHER, command, '--state-dir', sandbox.stateDir, ...args];
      await using program = inWorld(mount, taut);
      const { code, out, err } = await outcome(program);
      expect([code, out, err], words).toEqual([3, '', expect.stringMatching(said)]);
      expect(err.split('\n'), words).toHaveLength(1);
    }
  },
);

test.each(WORLDS)(
  "after %s taut run runs its command, as it was, and its exit code is the command's",
  async (mount, said) => {
    using sandbox = new Sandbox();
    for (const options of [[], ['--optimize-timer-slack'], ['--max-overhead', '5%']]) {
      const taut = [
        'env',
        `TAUT_STATE_DIR=${sandbox.stateDir}`,
        LAUNCHER,
        'run',
        ...options,
        '--',
        'sh',
        '-c',
        'echo ran; exit 4',
      ];
      await using program = inWorld(mount, taut);
      const { code, out, err } = await outcome(program);
      expect([code, out, err]).toEqual([4, 'ran', expect.stringMatching(said)]);
      expect(err.split('\n')).toHaveLength(1);
    }
  },
);
