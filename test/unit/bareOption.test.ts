import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { bareOption, type CommandShape } from '../../src/cli/bareOption.ts';
import { CliError, EXIT } from '../../src/cli/exit.ts';

const takesValue = new Set(['--config', '--state-dir', '--descendants']);
const SHAPES: Record<string, CommandShape> = {
  watch: { takesValue, takes: 'nothing' },
  attach: { takesValue, takes: 'pids' },
  run: { takesValue, takes: 'command' },
};

const words = (...argv: string[]) => bareOption(['node', 'main.js', ...argv], (name) => SHAPES[name]).slice(2);

function refusal(...argv: string[]): string {
  try {
    words(...argv);
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.usage) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

describeEach((option, whole, good) => {
  test.each([
    ['watch', option],
    ['watch', option, '--json'],
    ['attach', '4711', option],
    ['attach', '4711', option, '--', '10'],
    ['run', option, 'claude', '10us'],
    ['run', option, '--', '10us'],
    // Programs whose names begin with a digit.
    ['run', option, '7z', 'x'],
    ['run', option, '2to3'],
    ['run', option, '/opt/10/bin'],
    ['run', '--descendants', 'tune', option, 'claude'],
  ])('%j: the option stands alone, and what follows is what it was', (...argv) => {
    expect(words(...argv)).toEqual(argv.map((word) => (word === option ? whole : word)));
  });

  test.each([
    ['run', 'x', option, '10us'],
    ['run', '--', option, '10us'],
    ['run', '--config', 'c', 'x', option],
    ['watch', '--config', option, '10us'],
    ['watch', `${option}=5us`, '10us'],
    ['doctor', option, '10us'],
    ['watch', '--', option, '10us'],
  ])('%j is not ours to read', (...argv) => {
    expect(words(...argv)).toEqual(argv);
  });

  const VALUES = [
    '10us',
    '1',
    '0',
    '1.5ms',
    '.5us',
    '10µs',
    '5s',
    '-5',
    '+5',
    '1_000',
    '10 us',
    '0.1seconds',
    '3usecs',
    'off',
    'ON',
  ];
  test.each(['watch', 'attach', 'run'].flatMap((command) => VALUES.map((value) => [command, value] as const)))(
    '%s refuses the value %s after a space, also after others and before --, and says how to write it',
    (command, value) => {
      for (const argv of [
        [option, value],
        ['--config', 'c', option, value],
        [option, value, '--', 'cat'],
        [option, value, '--json'],
      ])
        expect(refusal(command, ...argv)).toContain(`${option}=`);
    },
  );

  test('a whole number may be a value or a process: attach names both ways to write it', () => {
    expect(refusal('attach', option, '4711')).toBe(
      `${option} 4711: is 4711 a value or a process id? Write ${option}=4711 for the value, or put process ids first: taut attach 4711 ${option}`,
    );
    expect(refusal('attach', '4711', option, '10')).toContain(`${option}=10`);
  });

  test('watch takes no word, so any word after the option was meant as its value', () => {
    expect(refusal('watch', option, 'off')).toContain(`like ${whole}`);
    expect(refusal('watch', option, good)).toContain(`like ${option}=${good}`);
  });

  test('run says how to start a command that is called like a value', () => {
    expect(refusal('run', option, '10us', 'x')).toContain(`${option} -- 10us`);
  });

  test('whatever is typed, a word after the option is refused or stays a word of its own', () => {
    const word = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom(option, ...VALUES, '4711', '--', '--json'));
    fc.assert(
      fc.property(fc.constantFrom('watch', 'attach', 'run'), fc.array(word), (command, more) => {
        let read: string[];
        try {
          read = words(command, ...more);
        } catch (error) {
          return error instanceof CliError;
        }
        return read.length === more.length + 1 && read.slice(1).every((w, i) => w === more[i] || w === whole);
      }),
    );
  });
});

/** For every option that is a knob's. */
function describeEach(body: (option: string, whole: string, good: string) => void): void {
  for (const knob of KNOBS) {
    const option = `--${knob.option}`;
    const good = knob === timerSlack ? '10us' : knob.format(knob.defaultTarget).replaceAll(' ', '');
    body(option, `${option}=${knob.defaultTarget}`, good);
  }
}
