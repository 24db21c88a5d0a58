/** A knob that is put on the list has all that the others have, with no other edit: here with one that is made up. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { CAPABILITIES } from '../../src/cli/capabilities.ts';
import { SwitchGate } from '../../src/cli/demo/switchGate.ts';
import { givenAlone, type TuneOptions, targetsOf } from '../../src/cli/given.ts';
import { withTuning } from '../../src/cli/options.ts';
import { addCommands, program } from '../../src/cli/program.ts';
import { meant } from '../../src/cli/run/atOnce.ts';
import { describeTuning } from '../../src/cli/tuningHere.ts';
import { parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { Decisions } from '../../src/discovery/decisions.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagFindings } from '../../src/gate/flagFindings.ts';
import { volume } from '../support/madeUpKnob.ts';

vi.mock('../../src/actuator/knobs.ts', async () => {
  const [first, made] = await Promise.all([
    import('../../src/actuator/timerSlack.ts'),
    import('../support/madeUpKnob.ts'),
  ]);
  return { KNOBS: [first.timerSlack, made.volume] };
});

/** What a command's help says, on one line. */
function help(name?: string): string {
  const command = name === undefined ? program : program.commands.find((one) => one.name() === name);
  let text = '';
  command?.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command?.outputHelp();
  return text.replaceAll(/\s+/g, ' ');
}

const rule = (value: string) => `version: 1\nrules:\n  - id: quiet\n    program: bot\n    optimizeVolume: ${value}\n`;

test('a rule has a key for its value', () => {
  const decisions = (value: string) => new Decisions(compileRules(parseConfig(rule(value), 'c.yaml')));
  expect(decisions('40%').ruleTarget('quiet', volume.option)).toBe(40n);
  expect(decisions('off').ruleTarget('quiet', volume.option)).toBe('off');
  expect(decisions('40').ruleTarget('quiet', 'optimize-timer-slack')).toBeUndefined();
  expect(() => parseConfig(rule('10us'), 'c.yaml')).toThrow('c.yaml:5:21: optimizeVolume: "10us" is no volume');
  expect(() => parseConfig(rule('40').replace('Volume', 'Volum'), 'c.yaml')).toThrow('did you mean "optimizeVolume"?');
  expect(JSON.stringify(z.toJSONSchema(configSchema, { io: 'input' }))).toContain('"optimizeVolume":');
});

test('a command has an option for its value', () => {
  const options = (...argv: string[]) => withTuning(new Command()).parse(argv, { from: 'user' }).opts<TuneOptions>();
  expect(targetsOf(options('--optimize-volume=40%'))).toEqual(new Map([[volume.id, 40n]]));
  expect(targetsOf(options('--optimize-volume'))).toEqual(new Map([[volume.id, 11n]]));
  expect(targetsOf(options('--optimize-volume', '--optimize-timer-slack=2us')).size).toBe(KNOBS.length);
  expect(withTuning(new Command()).helpInformation()).toMatch(/--optimize-volume \[value\] .*without a value:\s+11%/s);
});

test('a bare option of its own is followed by no value, and starts a command at once', () => {
  const shape = { takesValue: new Set<string>(), takes: 'command' as const };
  const read = (...argv: string[]) => bareOption(['node', 'main.js', 'run', ...argv], () => shape).slice(3);
  expect(read('--optimize-volume', '--', 'bot')).toEqual(['--optimize-volume=11', '--', 'bot']);
  expect(() => read('--optimize-volume', '40%')).toThrow('like --optimize-volume=40%');
  const { command, knobs } = meant(['--optimize-timer-slack', '--optimize-volume', '--', 'bot']);
  expect(command).toEqual(['bot']);
  expect(knobs).toEqual(KNOBS);
  expect(targetsOf(givenAlone(knobs, {})).get(volume.id)).toBe(11n);
});

test('the help says what it is, and how it is set', async () => {
  await addCommands([]);
  const overview = help();
  expect(overview).toContain('tightens their timer slack and volume where told to');
  expect(overview).toContain(
    'Nobody knows what the volume of a thread is. taut changes it only with --optimize-volume or a',
  );
  for (const text of [overview, help('watch')])
    expect(text).toContain('taut watch --optimize-volume and set their volume to 11%');
  expect(help('watch')).toContain(
    'Without --optimize-timer-slack or --optimize-volume (or --optimize, or a feature flag)',
  );
  for (const name of ['watch', 'run', 'attach']) expect(help(name)).toContain('--optimize-volume[=value]');
});

test('what a privilege is for names it', () => {
  expect(CAPABILITIES.CAP_SYS_NICE.use).toBe("read and write other processes' timer slack and volume");
});

test('a flag of its own decides about it, and a wrong value is found', async () => {
  const text = (on: unknown) => {
    const flag = { state: 'ENABLED', variants: { on, off: false }, defaultVariant: 'on' };
    return JSON.stringify({ flags: { 'taut.optimize-volume': flag } });
  };
  expect(flagFindings(text('40%'), 'f', KNOBS)).toEqual({ broken: [], mistakes: [], warnings: [] });
  expect(flagFindings(text('10us'), 'f', KNOBS).mistakes.join()).toContain('variants: on: "10us" is no volume');
  const directory = mkdtempSync(join(tmpdir(), 'taut-flags-'));
  const flagsFile = join(directory, 'flags.json');
  writeFileSync(flagsFile, text('40%'));
  const gate = await createGate({ flagsFile, knobs: KNOBS, onProblem: () => {} });
  try {
    const values = KNOBS.map(async (knob) => (await gate.decide({ knob, pid: 1, name: 'bot', ruleId: 'quiet' })).value);
    expect(await Promise.all(values)).toEqual([null, 40n]);
  } finally {
    await gate.close();
    rmSync(directory, { recursive: true });
  }
});

test("the demo's first act, which is about one knob, leaves it alone", () => {
  const gate = new SwitchGate();
  gate.set(new Map([[timerSlack.id, 1n]]), 'with every thread tuned');
  const values = KNOBS.map((knob) => gate.decide({ knob }).value);
  expect(values).toEqual([1n, null]);
});

test('doctor says of each whether this host can do it', () => {
  const here = (...able: boolean[]) => KNOBS.map(({ id, title }, i) => ({ id, title, tune: able[i] ?? false }));
  expect(describeTuning(here(true, true))).toBe('yes');
  expect(describeTuning(here(false, false))).toBe('no');
  expect(describeTuning(here(true, false))).toBe('timer slack, but not volume');
});
