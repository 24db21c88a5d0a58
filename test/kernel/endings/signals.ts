/** Signals of every kind, alone and in company. */
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { until } from '../../support/program.ts';
import { askedIfItGoesOn, COMMANDS, type Ending, shell, signals, WATCHERS } from './ending.ts';
import type { Life, Way } from './life.ts';
import { kill, parentOf } from './processes.ts';

/** By default these do not end a process. */
const HARMLESS = ['SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH'];
/** Somebody asks for an end: there is time for it. */
const ASKING: NodeJS.Signals[] = [
  ...(['SIGINT', 'SIGQUIT', 'SIGALRM', 'SIGVTALRM', 'SIGXCPU', 'SIGPWR', 'SIGIO', 'SIGSTKFLT', 'SIGTERM'] as const),
];
/** Node ignores them or has a use for them: taut may go on. */
const USED: NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGXFSZ', 'SIGPROF'];
/** One of the real-time signals, which Node has no name for. */
const REAL_TIME = 40;

/** Several names are of one signal. */
const NAMES = Object.entries(constants.signals)
  .filter(([name], i, all) => !HARMLESS.includes(name) && all.findIndex(([, n]) => n === all[i]?.[1]) === i)
  .map(([name]) => name as NodeJS.Signals);

/** By whom it is ended well, and where npm test tries it: of signals that mean the same, one. */
function kindOf(name: NodeJS.Signals): Pick<Ending, 'by' | 'ways' | 'quick'> {
  if (name === 'SIGHUP') return { by: 'itself', ways: ['attach', 'run', 'demo'], quick: ['attach', 'run'] };
  if (name === 'SIGTERM') return { by: 'itself', ways: COMMANDS, quick: ['watch', 'run'] };
  if (ASKING.includes(name)) return { by: 'itself', ways: WATCHERS, quick: QUICK[name] ?? [] };
  return { by: USED.includes(name) ? 'either' : 'guard', ways: COMMANDS, quick: QUICK[name] ?? [] };
}

const QUICK: Partial<Record<NodeJS.Signals, readonly Way[]>> = {
  SIGINT: ['demo'],
  SIGQUIT: ['watch'],
  SIGKILL: ['watch', 'run'],
  SIGSEGV: ['watch'],
  SIGABRT: ['attach'],
  SIGUSR1: ['watch'],
  SIGUSR2: ['attach'],
};

const EACH: Ending[] = NAMES.map((name) => ({
  name,
  ...kindOf(name),
  end: async (life) => {
    life.signal(name);
    if (USED.includes(name)) await askedIfItGoesOn(life);
  },
}));

const TWICE: Ending[] = [0, 1, 50, 400].map((ms) => ({
  name: `two SIGTERM ${ms} ms apart`,
  ways: COMMANDS,
  quick: ms === 1 ? ['watch', 'run'] : ['attach'],
  by: 'itself',
  end: signals(ms, 'SIGTERM', 'SIGTERM'),
}));

/** Whoever restores is killed, as often as it is tried again, three times. */
async function killRestores(life: Life): Promise<void> {
  life.signal('SIGKILL');
  for (let killed = 0; killed < 3; killed++) {
    const restores = () => life.of('restore').concat(life.of('guard').flatMap(childrenOf));
    let found = restores();
    await until(
      'somebody restores, or all is put back',
      () => {
        found = restores();
        return found.length > 0 || !life.isAnyTuned;
      },
      5_000,
    );
    for (const pid of found) kill(pid);
  }

  function childrenOf(guard: number): number[] {
    return life.of('taut', 'guard').filter((pid) => pid !== guard && parentOf(pid) === guard);
  }
}

export const SIGNALS: Ending[] = [
  ...EACH,
  ...TWICE,
  { name: 'a real-time signal', ways: COMMANDS, quick: [], by: 'guard', end: signals(0, REAL_TIME) },
  {
    name: 'SIGINT given to run alone',
    ways: ['run'],
    quick: ['run'],
    by: 'itself',
    end: async (life) => {
      life.signal('SIGINT');
      await askedIfItGoesOn(life);
    },
  },
  {
    name: 'twenty SIGTERM in a burst',
    ways: COMMANDS,
    quick: ['watch', 'demo'],
    by: 'itself',
    end: signals(0, ...Array<NodeJS.Signals>(20).fill('SIGTERM')),
  },
  {
    name: 'SIGTERM, while its sample agent builds',
    ways: ['demo'],
    quick: ['demo'],
    by: 'itself',
    end: async (life) => {
      await life.program.line(/beside a build/);
      life.signal('SIGTERM');
    },
  },
  {
    name: 'SIGTERM, then SIGINT, then SIGQUIT',
    ways: COMMANDS,
    quick: ['watch'],
    by: 'itself',
    end: signals(5, 'SIGTERM', 'SIGINT', 'SIGQUIT'),
  },
  {
    name: 'every signal that asks, one after the other',
    ways: WATCHERS,
    quick: ['attach'],
    by: 'itself',
    end: signals(1, ...ASKING),
  },
  {
    // It signals its child and then its whole group, which the child is in.
    name: 'the end of GNU timeout',
    ways: COMMANDS,
    quick: ['attach', 'run'],
    by: 'itself',
    reachesSample: true,
    start: { through: (command) => ['timeout', '600', ...command] },
    end: (life) => void process.kill(life.program.pid, 'SIGALRM'),
  },
  ...(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const).map(
    (signal): Ending => ({
      name: `${signal} to the whole process group`,
      ways: COMMANDS,
      quick: signal === 'SIGINT' ? ['run'] : signal === 'SIGQUIT' ? ['demo'] : [],
      by: 'itself',
      reachesSample: true,
      end: (life) => life.signalGroup(signal),
    }),
  ),
  {
    name: 'SIGKILL to the whole process group',
    ways: COMMANDS,
    quick: ['run'],
    by: 'guard',
    end: (life) => life.signalGroup('SIGKILL'),
  },
  {
    name: 'SIGKILL, and SIGKILL to what restores then',
    ways: COMMANDS,
    quick: ['attach'],
    by: 'guard',
    end: killRestores,
  },
  {
    // Which a taut looks after every few seconds: the demo is over by then.
    name: 'SIGKILL to its guard, and a moment later to itself',
    ways: ['watch', 'attach', 'run'],
    quick: [],
    by: 'guard',
    end: async (life) => {
      const before = life.of('guard');
      for (const pid of before) kill(pid);
      await until('it has another guard', () => life.of('guard').some((pid) => !before.includes(pid)), 10_000);
      life.signal('SIGKILL');
    },
  },
  {
    // Of what they start it may not know yet: that has the value by birth.
    name: 'SIGKILL, while its agents start others',
    ways: ['run'],
    quick: [],
    by: 'guard',
    start: { until: 'started' },
    end: signals(0, 'SIGKILL'),
  },
  {
    name: 'SIGKILL in the middle of its end',
    ways: COMMANDS,
    quick: [],
    by: 'guard',
    end: signals(3, 'SIGTERM', 'SIGKILL'),
  },
  {
    name: 'SIGTERM while it is stopped',
    ways: WATCHERS,
    quick: ['watch'],
    by: 'itself',
    end: async (life) => {
      life.signal('SIGSTOP', 'SIGTERM', 'SIGTERM');
      await setTimeout(100);
      life.signal('SIGCONT');
    },
  },
  {
    name: 'SIGTERM, after SIGHUP had it read its rules again',
    ways: ['watch'],
    quick: ['watch'],
    by: 'itself',
    end: async (life) => {
      life.signal('SIGHUP');
      await life.program.line(/rules read again/);
      if (!life.isTuned) throw new Error('a reload put back what the rules still name');
      life.signal('SIGTERM');
    },
  },
  {
    // All is tuned before it has fully started.
    name: 'SIGTERM, after a SIGHUP in the middle of its start',
    ways: ['watch'],
    quick: [],
    by: 'itself',
    start: { until: 'tuned' },
    end: async (life) => {
      life.signal('SIGHUP');
      await life.program.line(/watching/);
      if (!life.isTuned) throw new Error('a reload put back what the rules still name');
      life.signal('SIGTERM');
    },
  },
  {
    name: 'SIGTERM, after the shell that started it was killed',
    ways: ['watch'],
    quick: ['watch'],
    by: 'itself',
    start: { through: shell('setsid "$@" & wait') },
    end: async (life) => {
      process.kill(life.program.pid, 'SIGKILL');
      // Longer than a daemon needs to notice that it has lost its parent.
      await setTimeout(3_000);
      if (life.hasEnded || !life.isTuned) throw new Error('it did not go on');
      life.signal('SIGTERM');
    },
  },
];
