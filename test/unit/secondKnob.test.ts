/** A knob that is put on the list has all that the others have, with no other edit: here with one that is made up. */
import { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { givenAlone, type TuneOptions, targetsOf } from '../../src/cli/given.ts';
import { withTuning } from '../../src/cli/options.ts';
import { meant } from '../../src/cli/run/atOnce.ts';
import { parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { Decisions } from '../../src/discovery/decisions.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import { volume } from '../support/madeUpKnob.ts';

vi.mock('../../src/actuator/knobs.ts', async (original) => {
  const { KNOBS: real } = await original<typeof import('../../src/actuator/knobs.ts')>();
  const made = await import('../support/madeUpKnob.ts');
  return { KNOBS: [...real, made.volume] };
});

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
