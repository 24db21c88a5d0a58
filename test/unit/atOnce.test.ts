import { Command } from 'commander';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { meant } from '../../src/cli/run/atOnce.ts';
import { addRun } from '../../src/cli/run.ts';

/** What the command line comes to when all of it is read; undefined where it is refused. */
function read(args: readonly string[]): { command: readonly string[]; isTuned: boolean } | undefined {
  let come: { command: readonly string[]; isTuned: boolean } | undefined;
  const program = new Command('taut')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  addRun(program);
  const [run] = program.commands;
  run
    ?.exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .action((command: string[], options: Record<string, unknown>) => {
      come = { command, isTuned: KNOBS.some(({ option }) => options[camelCase(option)] !== undefined) };
    });
  try {
    const shape = { takesValue: new Set(['--config']), takes: 'command' as const };
    program.parse(bareOption(['node', 'main.js', 'run', ...args], () => shape));
  } catch {
    return undefined;
  }
  return come;
}

function camelCase(option: string): string {
  return option.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

const [knob] = KNOBS;
const word = fc.constantFrom(
  '--',
  `--${knob?.option}`,
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
      const early = meant(args);
      if (early.command.length === 0) return;
      started++;
      expect(early).toEqual(read(args));
    }),
    { numRuns: 2_000 },
  );
  expect(started).toBeGreaterThan(100);
});

test.each([
  [['claude', '-p'], ['claude', '-p'], false],
  [['--', 'claude', '--', '-p'], ['claude', '--', '-p'], false],
  [[`--${knob?.option}`, '--', 'claude'], ['claude'], true],
  // May be wrong.
  [[`--${knob?.option}`, '10us'], [], true],
  [[`--${knob?.option}`], [], true],
  [['--observe-only', '--', 'claude'], [], false],
  [['-p'], [], false],
  [[], [], true],
])('%j', (args, command, isTuned) => {
  expect(meant(args)).toEqual(command.length > 0 ? { command, isTuned } : expect.objectContaining({ command }));
});
