/** What taut stands on is taken away: its state directory, its parent, its descriptors; or it has a mistake itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/program.ts';
import { LAUNCHER } from '../../support/taut.ts';
import { askedIfItGoesOn, COMMANDS, type Ending, signals } from './ending.ts';
import type { Life } from './life.ts';

const WAYS = ['watch', 'attach'] as const;

/** What it has said of its state directory since then. */
function said(life: Life, from: number): string[] {
  return life.program.errors.slice(from).filter((line) => /state dir|ledger|\.lock/i.test(line));
}

/** It says so once, and ends of itself. */
function without(take: (dir: string) => void): (life: Life) => Promise<void> {
  return async (life) => {
    const before = life.program.errors.length;
    take(life.stateDir);
    await life.ended();
    const lines = said(life, before);
    if (lines.length !== 1)
      throw new Error(
        `it is to say once what has become of its state directory, and said: ${life.program.errors.slice(before).join('\n')}`,
      );
  };
}

function moved(dir: string): void {
  renameSync(dir, `${dir}-moved`);
}

const STATE: Ending[] = (
  [
    ['removed', (dir) => rmSync(dir, { recursive: true }), ['watch']],
    ['renamed', moved, []],
    [
      'replaced by an empty one',
      (dir) => {
        moved(dir);
        mkdirSync(dir);
      },
      ['attach'],
    ],
    ['left without its ledger', (dir) => rmSync(join(dir, 'ledger.db')), []],
    [
      'left with nothing of its ledger',
      (dir) => {
        for (const name of readdirSync(dir))
          if (name.startsWith('ledger')) rmSync(join(dir, name), { recursive: true });
      },
      [],
    ],
  ] satisfies [string, (dir: string) => void, Ending['quick']][]
).map(([name, take, quick]) => ({
  name: `its state directory ${name}`,
  ways: WAYS,
  quick,
  by: 'itself' as const,
  exit: 1,
  losesTraces: true,
  end: without(take),
}));

const GONE: Ending = {
  name: 'SIGKILL, as soon as it has said that its state directory was removed',
  ways: WAYS,
  quick: ['watch'],
  by: 'guard',
  losesTraces: true,
  end: async (life) => {
    const before = life.program.errors.length;
    rmSync(life.stateDir, { recursive: true });
    await until('it says so', () => said(life, before).length > 0, 10_000);
    life.signal('SIGKILL');
  },
};

const MISTAKES: Ending[] = (
  [
    ['uncaught', 'an exception that nobody catches', ['watch', 'run']],
    ['rejection', 'a rejection that nobody handles', ['attach', 'demo']],
  ] satisfies [string, string, Ending['quick']][]
).map(([fault, name, quick]) => ({
  name,
  ways: COMMANDS,
  quick,
  by: 'either' as const,
  isMistake: true,
  start: { env: { TAUT_FAULT: fault }, until: 'started' as const },
  end: async (life) => {
    await life.program.line(/TAUT_FAULT/, 10_000);
    if (life.way !== 'run') return;
    // That may wait for the command, with nothing tuned any more.
    await until('it has put everything back', () => life.hasEnded || !life.isAnyTuned, 10_000);
    life.signal('SIGTERM');
  },
}));

/** The name of a server asked for on this host, as any user may. */
function askForName(name: string): void {
  const ask = `import socket,struct
q=struct.pack(">HHHHHH",1,0x0100,1,0,0,0)+b"".join(bytes([len(l)])+l.encode() for l in "${name}".split("."))+b"\\0\\0\\1\\0\\1"
socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(q,("127.0.0.1",53))`;
  spawnSync('python3', ['-c', ask]);
}

const DESCRIPTORS: Ending = {
  name: 'SIGTERM, after it ran out of file descriptors',
  ways: COMMANDS,
  quick: ['watch'],
  by: 'itself',
  end: async (life) => {
    const open = readdirSync(`/proc/${life.pid}/fd`).length;
    execFileSync('prlimit', ['--pid', String(life.pid), `--nofile=${open}:${open}`]);
    await life.crew.more(3);
    for (let i = 0; i < 3; i++) askForName(`api${i}.model.example`);
    await askedIfItGoesOn(life);
  },
};

/** As a package that a project depends on. `npx taut` and a script of it are this. */
function npm(...words: string[]): (command: readonly string[], dir: string) => string[] {
  return ([, ...args], dir) => {
    const project = join(dir, 'project');
    const bin = join(project, 'node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    rmSync(join(bin, 'taut'), { force: true });
    symlinkSync(LAUNCHER, join(bin, 'taut'));
    const scripts = { taut: 'taut', beside: 'true; taut "$@"; true' };
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0', scripts }));
    return ['sh', '-c', 'cd "$0" && exec npm --no-update-notifier "$@"', project, ...words, ...args];
  };
}

const PARENTS: Ending[] = (
  [
    ['the npx that started it is killed', npm('exec', '--no', '--', 'taut'), ['watch']],
    ['the npm script that started it is killed', npm('run', 'taut', '--'), []],
  ] satisfies [string, ReturnType<typeof npm>, Ending['quick']][]
).map(([name, through, quick]) => ({
  name,
  ways: COMMANDS,
  quick,
  by: 'itself' as const,
  start: { through },
  end: (life) => void process.kill(life.program.pid, 'SIGKILL'),
}));

/** An application ends as it likes, and takes no care. */
const APPLICATION: Ending[] = [
  ...['falls off its end', 'exits', 'throws', 'rejects', 'aborts'].map(
    (word): Ending => ({
      name: `an application that ${word}`,
      ways: ['package'],
      quick: ['package'],
      by: 'guard',
      isMistake: true,
      end: (life) => life.program.say(word),
    }),
  ),
  ...(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const).map(
    (signal): Ending => ({
      name: `an application that gets ${signal}`,
      ways: ['package'],
      quick: signal === 'SIGTERM' || signal === 'SIGKILL' ? ['package'] : [],
      by: 'guard',
      end: signals(0, signal),
    }),
  ),
];

export const SURROUNDINGS: Ending[] = [...STATE, GONE, ...MISTAKES, DESCRIPTORS, ...PARENTS, ...APPLICATION];
