/** The demo's second act: which arms there are, what is said of them, and their picture. */
import { expect, test } from 'vitest';
import { type Build, drawBuild } from '../../scripts/drawBuild.ts';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { armsOf, inRound } from '../../src/cli/demo/arms.ts';
import type { BesideBuild, Measured } from '../../src/cli/demo/besideBuild.ts';
import { buildToJson, describeBuild, lateShare, verdict } from '../../src/cli/demo/buildReport.ts';
import { axis, BUSY, sparkline } from '../../src/cli/demo/picture.ts';
import type { ExpHistogram } from '../../src/tracer/series.ts';
import { isWellFormed } from '../support/xml.ts';

/** Bucket -88 at scale 3 begins at 2^-11 s, half a millisecond. */
const LATE_BUCKET = -88;
const histogram = (offset: number, buckets: readonly number[]): ExpHistogram => ({
  ...{ scale: 3, offset, buckets, zeroCount: 0, sumNs: 0n, minNs: undefined, maxNs: undefined },
  count: buckets.reduce((sum, n) => sum + n, 0),
});

/** A thousand wakeups, so many of which were late. */
const arm = (name: string, late: number, files = 100): Measured => ({
  ...{ name, targets: new Map(), seconds: 4, files, settings: [] },
  latency: histogram(LATE_BUCKET - 1, [1_000 - late, late]),
});
const beside = (arms: readonly Measured[]): BesideBuild => ({ jobs: 4, turns: 3, arms, leftOut: [] });
const ARMS = [arm('as found', 250), arm('timer slack 1 ns', 245), arm('all of these', 5, 97), arm('put back', 240)];

test('each knob has an arm of its own, between as found and put back, and all have one together', () => {
  const arms = armsOf(KNOBS);
  expect(arms.map(({ targets }) => [...targets.keys()])).toEqual([
    [],
    ...KNOBS.map(({ id }) => [id]),
    KNOBS.map(({ id }) => id),
    [],
  ]);
  expect(new Set(arms.map(({ name }) => name)).size).toBe(arms.length);
  expect(armsOf(KNOBS.slice(0, 1))).toHaveLength(3);
  expect(armsOf([])).toHaveLength(2);
});

test('each round has every arm, and the last one ends with what is put back', () => {
  const rounds = [0, 1, 2].map((round) => inRound(['found', 'tuned', 'back'], round));
  expect(rounds).toEqual([
    ['found', 'tuned', 'back'],
    ['back', 'tuned', 'found'],
    ['found', 'tuned', 'back'],
  ]);
});

test('late is what lies in the buckets above half a millisecond', () => {
  expect(lateShare({ latency: histogram(LATE_BUCKET - 1, [3, 1]) })).toBe(0.25);
  expect(lateShare({ latency: histogram(LATE_BUCKET, [3, 1]) })).toBe(1);
  expect(lateShare({ latency: histogram(0, []) })).toBeNull();
});

test('a gain is told with who paid, and with what it was put back', () => {
  expect(verdict(ARMS)).toBe(
    '25.0% of its wakeups came more than 0.5 ms late as found, 0.5% with all of these, 24.0% put back. The build did 97% of its work with that, 100% put back.',
  );
});

test('what the build did is told beside what it did put back, which tells what the machine left it', () => {
  const said = verdict([arm('as found', 250), arm('slice', 5, 160), arm('put back', 240, 115)]);
  expect(said).toContain('The build did 160% of its work with that, 115% put back.');
});

test('a load of others that changed is told by the work of the build, as found and put back', () => {
  const said = (files: number) => verdict([arm('as found', 250), arm('slice', 5), arm('put back', 240, files)]);
  expect(said(70)).toMatch(/ The load of this machine changed meanwhile: /);
  expect(said(130)).toMatch(/ The load of this machine changed meanwhile: /);
  expect(said(95)).not.toContain('changed meanwhile');
});

test('no gain is claimed where there is none, nor where putting back looks as good', () => {
  const all = (found: number, tuned: number, back: number) =>
    verdict([arm('as found', found), arm('slice', tuned), arm('put back', back)]);
  expect(all(10, 0, 12)).toMatch(/^There is nothing to mend here: 1.0% /);
  expect(all(300, 200, 310)).toMatch(/^No setting helps clearly here: 30.0% /);
  expect(all(300, 100, 110)).toMatch(/^No setting helps clearly here: /);
  expect(verdict([arm('as found', 10), arm('put back', 10)])).toMatch(/^too few wakeups/);
});

test('every arm has a row, a line of the picture, and its part of the work; what is left out has its reason', () => {
  const leftOut = [{ id: 'x', title: 'scheduler slice', why: 'threads can not ask for a slice on this kernel' }];
  const lines = describeBuild({ ...beside(ARMS), leftOut }).split('\n');
  for (const { name } of ARMS) expect(lines.filter((line) => line.trim().startsWith(name))).toHaveLength(2);
  expect(lines.find((line) => line.includes('all of these'))).toMatch(/ 0\.5% +97%$/);
  expect(lines.join('\n')).toContain('scheduler slice           left out: threads can not ask');
});

test('a line of the picture is as long as its axis, and its labels do not touch', () => {
  const line = sparkline(histogram(LATE_BUCKET, [1]), BUSY);
  expect([...line].length).toBe(axis(BUSY).length - BUSY.unit.length);
  // 16 columns from 2^-15 s on.
  expect([...line].findIndex((column) => column !== ' ')).toBe(16);
  expect(axis(BUSY).trim().split(/ +/)).toHaveLength(BUSY.doublings + 1);
});

test('the drawn picture is well formed, with every arm, its figures, and the machine', () => {
  const named = [arm('a <b> & "c"', 1), ...ARMS];
  const svg = drawBuild(JSON.parse(JSON.stringify(buildToJson(beside(named)))) as Build, 'Linux 1, 2 cores');
  expect(isWellFormed(svg)).toBe(true);
  expect(svg).toContain('a &lt;b&gt; &amp; "c"');
  expect(svg.match(/<circle /g)).toHaveLength(named.length);
  for (const said of ['25.0%', '0.5%', '97%', '5000 wakeups', 'Linux 1, 2 cores']) expect(svg).toContain(said);
});

test('nothing is drawn of an arm without wakeups, or without arms', () => {
  const none = { ...arm('as found', 0), latency: histogram(0, []) };
  expect(() => drawBuild(buildToJson(beside([none])) as Build, 'here')).toThrow('too few wakeups');
  expect(() => drawBuild(buildToJson(beside([])) as Build, 'here')).toThrow('nothing was measured');
});
