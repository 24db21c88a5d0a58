import { Command } from 'commander';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { givenAlone } from '../../src/cli/given.ts';
import { meant } from '../../src/cli/run/atOnce.ts';
import { addRun } from '../../src/cli/run.ts';

interface Come {
  readonly command: readonly string[];
  readonly options: object;
}

/** What the command line comes to when all of it is read; undefined where it is refused. */
function read(args: readonly string[]): Come | undefined {
  let come: Come | undefined;
  const program = new Command('taut').enablePositionalOptions().exitOverride();
  addRun(program);
  const quiet = { writeErr: () => {}, writeOut: () => {} };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput(quiet);
  program.commands[0]?.action((command: string[], options: object) => {
    come = { command, options };
  });
  try {
    const shape = { takesValue: new Set(['--config']), takes: 'command' as const };
    program.parse(bareOption(['node', 'main.js', 'run', ...args], () => shape));
  } catch {
    return undefined;
  }
  return come;
}

const [knob] = KNOBS;
const word = fc.constantFrom(
  '--',
  ...KNOBS.map(({ option }) => `--${option}`),
  `--${knob?.option}=5us`,
  '10us',
  'claude',
  '-p',
  '--json',
  '-',
  '',
  'help',
);

test('a command is started before all is read only where reading all comes to the same', () => {
  let started = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      const { command, knobs } = meant(args);
      if (command.length === 0) return;
      started++;
      expect({ command, options: givenAlone(knobs, process.env) }).toEqual(read(args));
    }),
    { numRuns: 2_000 },
  );
  expect(started).toBeGreaterThan(100);
});

test.each([
  [['claude', '-p'], ['claude', '-p'], 0],
  [['--', 'claude', '--', '-p'], ['claude', '--', '-p'], 0],
  [[`--${knob?.option}`, '--', 'claude'], ['claude'], 1],
  // May be wrong.
  [[`--${knob?.option}`, '10us'], [], 1],
  [[`--${knob?.option}`], [], 0],
  [['--observe-only', '--', 'claude'], [], 0],
  [['-p'], [], 0],
  [[], [], 0],
])('%j', (args, command, knobs) => {
  const come = meant(args);
  expect([come.command, come.command.length > 0 ? come.knobs.length : knobs]).toEqual([command, knobs]);
});
