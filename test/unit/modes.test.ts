import { expect, test } from 'vitest';
import { parseSchedstat } from '../../src/proc/schedstat.ts';
import { differenceBehind, withoutFrom } from '../../src/tracer/features.ts';

test('reads the wait and the timeslices of a schedstat file, and nothing else', () => {
  expect(parseSchedstat('10459361 12345678901234 42\n')).toEqual({ ns: 12_345_678_901_234n, timeslices: 42 });
  expect(parseSchedstat('0 0 0\n')).toEqual({ ns: 0n, timeslices: 0 });
});

test('names the kernel difference behind what libbpf and the verifier say', () => {
  expect(differenceBehind('program of this type cannot use helper bpf_task_storage_get#156')).toMatch(/a10787e6d58c/);
  expect(differenceBehind("libbpf: map 'threads': failed to create: Invalid argument(-22)")).toMatch(/5\.13/);
  expect(differenceBehind("libbpf: map 'execs': failed to create: Invalid argument(-22)")).toMatch(/ring buffer/);
  for (const said of ['unknown error (-524)', 'Unknown error 524'])
    expect(differenceBehind(`libbpf: prog 'on_waking': BPF program load failed: ${said}`)).toMatch(/arm64.*5\.18/);
  expect(differenceBehind('permission denied')).toBeUndefined();
});

test('a feature to do without that is none stops the start', () => {
  expect([...withoutFrom({})]).toEqual([]);
  expect([...withoutFrom({ TAUT_WITHOUT: 'timers,on_switch' })]).toEqual(['timers', 'on_switch']);
  expect(() => withoutFrom({ TAUT_WITHOUT: 'timer' })).toThrow(RangeError);
});
