/** What was collected counts as told only when it was exported: until then a delta goes on from where it was. */
import type { HrTime } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { DeltaOf } from '../../otel/delta.ts';
import { Exported } from '../../otel/exported.ts';
import { LetGo } from '../../src/tracer/letGo.ts';

const at = (seconds: number): HrTime => [seconds, 0];

function collector(exported?: Exported) {
  const delta = new DeltaOf<number>((later, earlier) => later - earlier, exported);
  return (value: number, seconds: number) => {
    const { startTime, value: since } = delta.next('series', { startTime: at(0), value }, at(seconds));
    delta.sweep();
    return [startTime[0], since];
  };
}

test('a delta goes on from the last collection that was exported', () => {
  const exported = new Exported();
  const collect = collector(exported);
  expect(collect(10, 1)).toEqual([0, 10]);
  expect(collect(15, 2)).toEqual([0, 15]);
  exported.tell();
  expect(collect(18, 3)).toEqual([2, 3]);
  expect(collect(20, 4)).toEqual([2, 5]);
  exported.tell();
  exported.tell();
  expect(collect(20, 5)).toEqual([4, 0]);
});

test('where nobody says what was exported, every collection counts', () => {
  const collect = collector();
  expect(collect(10, 1)).toEqual([0, 10]);
  expect(collect(15, 2)).toEqual([1, 5]);
});

test('the last counts of those that have ended are in every collection until one was exported', () => {
  const letGo = new LetGo<{ pid: number; name: string; createdAtMs: number }>();
  const process = (pid: number) => ({ pid, name: 'agent', createdAtMs: 0 });
  letGo.add(process(1));
  letGo.add(process(2));
  expect(letGo.take(true)).toEqual([process(1), process(2)]);
  letGo.add(process(3));
  expect(letGo.take(true)).toHaveLength(3);
  letGo.add(process(4)); // while the export is on its way
  expect(letGo.find(process(2))).toEqual(process(2));
  expect(letGo.find({ ...process(2), name: 'other' })).toBeUndefined();
  expect(letGo.resume(process(2))).toEqual(process(2));
  letGo.add({ ...process(2), createdAtMs: 0 });
  letGo.exported();
  expect(letGo.take(true)).toEqual([process(4), process(2)]);
  letGo.exported();
  expect(letGo.take(true)).toEqual([]);
});
