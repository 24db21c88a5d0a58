/** Pipes, terminals and disks that take nothing more. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { until } from '../../support/program.ts';
import { FIXTURES } from '../../support/taut.ts';
import { askedIfItGoesOn, COMMANDS, type Ending, shell, signals, WATCHERS } from './ending.ts';
import type { Life } from './life.ts';
import { hasEnded, kill, nameOf } from './processes.ts';

/** Something happens that taut tells of. */
async function another(life: Life): Promise<void> {
  await life.crew.more(1);
}

async function anotherAndTerm(life: Life): Promise<void> {
  await another(life);
  await askedIfItGoesOn(life);
}

const term = signals(0, 'SIGTERM');
const PIPES: Ending[] = [
  {
    // Of many agents the second is told of in the middle of the start.
    name: 'watch --json | head -1',
    ways: ['watch'],
    quick: ['watch'],
    by: 'itself',
    losesTraces: true,
    start: { args: ['--json'], through: shell('"$@" | head -1; exit $' + '{PIPESTATUS[0]}'), until: 'started' },
    exit: 0,
    end: async (life) => {
      await until('it has told of one', () => life.program.lines.length > 0);
      await another(life);
    },
  },
  {
    name: 'a reader of --json that is killed, and then another agent',
    ways: ['watch', 'attach'],
    quick: ['watch'],
    by: 'itself',
    start: { args: ['--json'], through: shell('"$@" | cat >/dev/null; exit $' + '{PIPESTATUS[0]}') },
    exit: 0,
    end: async (life) => {
      for (const pid of life.all().filter((pid) => nameOf(pid) === 'cat')) kill(pid);
      // A watch hears of another agent; what is attached to its own learns it as it tells of its end.
      if (life.way === 'watch') await another(life);
      else life.signal('SIGTERM');
    },
  },
  {
    // 64 KiB are in the pipe then, and nobody takes them out.
    name: 'SIGTERM, with a reader of --json that does not read',
    ways: ['watch', 'attach'],
    quick: [],
    by: 'itself',
    losesTraces: true,
    start: { args: ['--json'], through: shell('"$@" | sleep 600'), until: 'started' },
    end: async (life) => {
      await setTimeout(3_000);
      life.signal('SIGTERM');
    },
  },
  {
    name: 'attach 2>&1 | head -1',
    ways: ['attach'],
    quick: ['attach'],
    by: 'either',
    start: { through: shell('"$@" 2>&1 | head -1'), until: 'started' },
    end: () => {},
  },
  {
    // The fourth line is the first after it is tuned.
    name: 'attach 2>&1 | head -3',
    ways: ['attach'],
    quick: ['attach'],
    by: 'either',
    start: { through: shell('"$@" 2>&1 | head -3'), until: 'started' },
    end: askedIfItGoesOn,
  },
  {
    name: 'demo | head -2',
    ways: ['demo'],
    quick: ['demo'],
    by: 'either',
    start: { through: shell('"$@" | head -2') },
    end: () => {},
  },
];

/** From the start on. Taut may take a full disk for a reason to end. */
const CLOSED: Ending[] = (
  [
    ['>&-', 'standard output closed', ['watch']],
    ['2>&-', 'standard error closed', ['attach']],
    ['<&- >&- 2>&-', 'all its streams closed', ['watch']],
    ['>/dev/full', 'standard output on a full disk', ['watch']],
    ['2>/dev/full', 'standard error on a full disk', ['attach', 'run']],
    ['>/dev/full 2>&1', 'all that it says on a full disk', []],
  ] satisfies [string, string, Ending['quick']][]
).map(([how, name, quick]) => {
  const isSilent = how.includes('2>');
  const isFull = how.includes('full');
  return {
    name: `SIGTERM, with ${name}`,
    ways: how.startsWith('2>')
      ? (['watch', 'attach', 'run'] as const)
      : isSilent
        ? (['watch', 'attach'] as const)
        : WATCHERS,
    quick,
    by: isFull ? ('either' as const) : ('itself' as const),
    start: {
      through: shell(`exec "$@" ${how}`),
      args: isSilent ? [] : ['--json'],
      until: isFull ? ('started' as const) : isSilent ? ('tuned' as const) : ('said' as const),
    },
    end: isFull ? anotherAndTerm : term,
  };
});

const terminal = (...leader: string[]) => ({
  through: (command: readonly string[]) => ['python3', join(FIXTURES, 'terminal.py'), ...leader, ...command],
});
/** In a job of its own of a shell that has the terminal. */
const job = (script: string) => terminal('bash', '--norc', '-ic', script, 'bash');
const close = (life: Life) => life.program.say('close');
const CONTROL_C = '03';
const CONTROL_BACKSLASH = '1c';
const keys =
  (apartMs: number, ...codes: string[]) =>
  async (life: Life) => {
    for (const code of codes) {
      life.program.say(`type ${code}`);
      await setTimeout(apartMs);
    }
  };

const TERMINALS: Ending[] = [
  {
    name: 'its terminal is closed',
    ways: COMMANDS,
    quick: COMMANDS,
    by: 'itself',
    start: terminal(),
    end: close,
  },
  {
    name: 'the terminal of its shell is closed',
    ways: COMMANDS,
    quick: ['watch'],
    by: 'itself',
    start: job('"$@"; true'),
    end: close,
  },
  {
    name: 'the shell that leads its session is killed',
    ways: COMMANDS,
    quick: ['watch'],
    by: 'itself',
    start: job('"$@"; true'),
    end: (life) => life.program.say('kill'),
  },
  {
    name: 'the terminal is closed while it is in the background',
    ways: ['watch', 'attach'],
    quick: [],
    by: 'itself',
    start: job('"$@" & wait'),
    end: close,
  },
  {
    // Nobody tells it, as nobody leads the session any more: it finds out when it says something.
    name: 'its terminal is closed after its shell was killed, and it says something to nobody',
    ways: ['watch'],
    quick: ['watch'],
    by: 'itself',
    start: job('"$@" & wait'),
    end: async (life) => {
      const shells = life.all().filter((pid) => nameOf(pid) === 'bash');
      life.program.say('kill');
      await until('the shell is gone', () => shells.every(hasEnded));
      close(life);
      await another(life);
    },
  },
  {
    name: 'Ctrl-C twice, 400 ms apart',
    ways: COMMANDS,
    quick: ['attach'],
    by: 'itself',
    start: terminal(),
    end: keys(400, CONTROL_C, CONTROL_C),
  },
  {
    name: 'Ctrl-C and Ctrl-\\ at once',
    ways: COMMANDS,
    quick: ['run'],
    by: 'itself',
    start: terminal(),
    end: keys(0, CONTROL_C, CONTROL_BACKSLASH),
  },
  {
    name: 'Ctrl-\\, and the terminal closed',
    ways: COMMANDS,
    quick: [],
    by: 'itself',
    start: terminal(),
    end: async (life) => {
      await keys(0, CONTROL_BACKSLASH)(life);
      close(life);
    },
  },
  {
    name: 'SIGTERM, after nohup had it outlive its terminal',
    ways: ['watch', 'attach'],
    quick: ['watch'],
    by: 'itself',
    start: { ...job('nohup "$@" >nohup.out 2>&1 & wait'), until: 'tuned' },
    end: async (life) => {
      const said = join(life.crew.sandbox.dir, 'nohup.out');
      await until('it has started', () => readFileSync(said, 'utf8').includes('watching'));
      close(life);
      await until('the shell has ended', () => life.program.child.exitCode !== null);
      await setTimeout(1_000);
      if (life.hasEnded || !life.isTuned) throw new Error('it did not go on');
      life.signal('SIGTERM');
    },
  },
];

export const STREAMS: Ending[] = [...PIPES, ...CLOSED, ...TERMINALS.map((row) => ({ ...row, reachesSample: true }))];
