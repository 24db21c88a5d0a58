/** Profiles: sets of knobs under one name, on the command line, in flags and in rules. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import type { Knob } from '../../src/actuator/knob.ts';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { schedSlice } from '../../src/actuator/schedSlice.ts';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { toolPriority } from '../../src/actuator/toolPriority.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { asked, givenAlone, type TuneOptions } from '../../src/cli/given.ts';
import { withTuning } from '../../src/cli/options.ts';
import { meant } from '../../src/cli/run/atOnce.ts';
import { parseConfig } from '../../src/config/load.ts';
import { Decisions } from '../../src/discovery/decisions.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import { createGate } from '../../src/gate/createGate.ts';
import { flagFindings } from '../../src/gate/flagFindings.ts';

const RESPONSIVE = [schedSlice, toolPriority];

afterEach(() => {
  vi.restoreAllMocks();
});

/** Every knob is one that this host can do, but for those. */
function canDoAllBut(...lacking: readonly Knob[]): void {
  for (const knob of KNOBS) {
    const ok = !lacking.includes(knob);
    vi.spyOn(knob, 'support').mockReturnValue({ name: 'x', ok, detail: ok ? 'there' : 'not on this kernel', mend: '' });
  }
}

const options = (...argv: string[]) => withTuning(new Command()).parse(argv, { from: 'user' }).opts<TuneOptions>();
const targets = (knobs: readonly Knob[]) => new Map(knobs.map(({ id, defaultTarget }) => [id, defaultTarget]));

test.each([
  ['--optimize', RESPONSIVE],
  ['--optimize=responsive', RESPONSIVE],
  ['--optimize=timers', [timerSlack]],
  ['--optimize=all', KNOBS],
] as const)('%s sets the knobs of its profile', (option, knobs) => {
  canDoAllBut();
  expect(asked(options(option)).targets).toEqual(targets(knobs));
});

test('an option of a knob comes first, also off', () => {
  canDoAllBut();
  const { targets, why } = asked(options('--optimize=all', '--optimize-tools=idle', '--optimize-timer-slack=off'));
  expect(targets).toEqual(
    new Map([
      [schedSlice.id, schedSlice.defaultTarget],
      [toolPriority.id, toolPriority.parse('idle')],
    ]),
  );
  expect(why.get(timerSlack.id)).toBe('--optimize-timer-slack=off');
});

test('what this host can not do is left out and said, and what was asked for by name is not', () => {
  canDoAllBut(schedSlice);
  const { targets: left, leftOut, why } = asked(options('--optimize'));
  expect(left).toEqual(targets([toolPriority]));
  expect(leftOut).toEqual(['--optimize=responsive leaves out the scheduler slice: not on this kernel']);
  expect(why.get(schedSlice.id)).toBe('--optimize=responsive; not on this kernel');
  const named = asked(options('--optimize', '--optimize-sched-slice'));
  expect([named.targets.has(schedSlice.id), named.leftOut]).toEqual([true, []]);
});

test('the gate says which words decided', async () => {
  canDoAllBut(schedSlice);
  const gate = await createGate({ ...asked(options('--optimize', '--optimize-timer-slack')), onProblem: () => {} });
  const said = KNOBS.map((knob) => gate.decide({ knob, pid: 1, name: 'bot', ruleId: 'r' }));
  expect(said).toEqual([
    { layer: 'option', value: 1n, reason: '--optimize-timer-slack' },
    { layer: 'option', value: null, reason: '--optimize=responsive; not on this kernel' },
    { layer: 'option', value: 10n, reason: '--optimize=responsive' },
  ]);
});

test('a wrong profile is refused, and so is one after a space', () => {
  const shape = { takesValue: new Set<string>(), takes: 'command' as const };
  const read = (...argv: string[]) => bareOption(['node', 'main.js', 'run', ...argv], () => shape).slice(3);
  expect(read('--optimize', '--', 'bot')).toEqual(['--optimize=responsive', '--', 'bot']);
  expect(() => read('--optimize', 'all')).toThrow('like --optimize=all');
  const command = withTuning(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  expect(() => command.parse(['--optimize=fast'], { from: 'user' })).toThrow(/no profile: responsive, timers or all/);
});

test('a command starts at once under a bare one', () => {
  canDoAllBut();
  const { command, knobs, profile } = meant(['--optimize', '--', 'bot']);
  expect(command).toEqual(['bot']);
  expect(asked(givenAlone(knobs, {}, profile)).targets).toEqual(targets(RESPONSIVE));
});

test('a rule gives its agents a part of what is turned on', () => {
  const decisions = (more: string) =>
    new Decisions(compileRules(parseConfig(`version: 1\nrules:\n  - id: bots\n    program: bot\n${more}`, 'c.yaml')));
  const of = (more: string) => KNOBS.map(({ option }) => decisions(more).ruleTarget('bots', option));
  expect(of('    profile: timers\n')).toEqual([undefined, 'off', 'off']);
  expect(of('    profile: all\n')).toEqual([undefined, undefined, undefined]);
  expect(of('    profile: off\n')).toEqual(['off', 'off', 'off']);
  expect(of('    profile: timers\n    optimizeTools: nice:5\n')).toEqual([undefined, 'off', 5n]);
  expect(() => of('    profile: fast\n')).toThrow('c.yaml:5:14: profile');
});

const variants = { on: true, off: false, timers: 'timers', all: 'all', responsive: 'responsive' };

/** What the gate says of each knob, by a flag of the profile and, if given, by those of knobs. */
async function flagged(defaultVariant: string, more: object = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'taut-profiles-'));
  const flagsFile = join(directory, 'flags.json');
  const flag = { state: 'ENABLED', variants, defaultVariant };
  writeFileSync(flagsFile, JSON.stringify({ flags: { 'taut.optimize': flag, ...more } }));
  const gate = await createGate({ flagsFile, onProblem: () => {} });
  try {
    return await Promise.all(KNOBS.map((knob) => gate.decide({ knob, pid: 1, name: 'bot', ruleId: 'r' })));
  } finally {
    await gate.close();
    rmSync(directory, { recursive: true });
  }
}

test.each([
  ['on', [null, 100_000n, 10n]],
  ['off', [null, null, null]],
  ['timers', [1n, null, null]],
  ['all', [1n, 100_000n, 10n]],
])('a flag taut.optimize at %s', async (variant, values) => {
  canDoAllBut();
  expect((await flagged(variant)).map(({ value }) => value)).toEqual(values);
});

test("a knob's own flag comes first, and what this host can not do is left out", async () => {
  canDoAllBut(schedSlice);
  const own = { state: 'ENABLED', variants: { low: 'nice:3' }, defaultVariant: 'low' };
  const said = await flagged('all', { 'taut.optimize-tools': own });
  expect(said.map(({ value, reason }) => [value, reason])).toEqual([
    [1n, 'flag taut.optimize is "all" (all)'],
    [null, 'flag taut.optimize is "all" (all): not on this kernel'],
    [3n, 'flag taut.optimize-tools is "nice:3" (low)'],
  ]);
});

test('a flag file is held to it', () => {
  const text = (on: unknown) =>
    JSON.stringify({ flags: { 'taut.optimize': { state: 'ENABLED', variants: { on }, defaultVariant: 'on' } } });
  expect(flagFindings(text('all'), 'f', KNOBS)).toEqual({ broken: [], mistakes: [], warnings: [] });
  expect(flagFindings(text('fast'), 'f', KNOBS).mistakes.join()).toContain('variants: on: "fast" is no profile');
});

test('the values of tools, as people write them', () => {
  expect(['10', 'nice:10', 'nice 10', 'NICE:1', 'idle', '20'].map((text) => toolPriority.parse(text))).toEqual([
    ...[10n, 10n, 10n, 1n, 20n, 20n],
  ]);
  for (const text of ['', '0', '-5', '21', 'nice:0', 'nice:20', 'nice:-1', 'on', 'batch', '10us'])
    expect(() => toolPriority.parse(text), text).toThrow(RangeError);
  expect([1n, 19n, 20n, 1_320n].map((value) => toolPriority.format(value))).toEqual([
    ...['nice 1', 'nice 19', 'idle', 'SCHED_BATCH'],
  ]);
});
