/** Who a process is must be the same for every taut, and for every other program of the host. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tell } from '../support/conversation.ts';
import { attribute, spansOf } from '../support/spans.ts';
import { Sandbox } from '../support/taut.ts';

/** As psutil computes it: the kernel's boot time, and the process's start in ticks. */
const INDEPENDENT = `
import os, sys
boot = next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime"))
start = int(open(f"/proc/{sys.argv[1]}/stat").read().rpartition(")")[2].split()[19])
print(round(1000 * (boot + start / os.sysconf("SC_CLK_TCK"))))`;

import { sleeper } from '../support/sleeper.ts';

test.each([
  ['with BPF', ''],
  ['in mode schedstat', 'bpf'],
])('%s, every run of taut says one creation time of a process, that which others compute', async (_, without) => {
  using sandbox = new Sandbox({ TAUT_WITHOUT: without });
  await using agent = await sleeper(sandbox);
  for (let run = 0; run < 3; run++) {
    await using taut = await sandbox.watch();
    await tell(agent, 'sleep 20 500');
    await taut.stop();
  }
  const expected = Number(execFileSync('python3', ['-c', INDEPENDENT, String(agent.pid)], { encoding: 'utf8' }));
  const spans = spansOf(sandbox.stateDir, 'attach');
  expect(spans).toHaveLength(3);
  expect(new Set(spans.map((span) => Date.parse(attribute(span, 'process.creation.time'))))).toEqual(
    new Set([expected]),
  );
  const metrics = readFileSync(join(sandbox.stateDir, 'otlp/metrics.jsonl'), 'utf8');
  const onPoints = [...metrics.matchAll(/"process\.creation\.time","value":\{"stringValue":"([^"]+)"/g)];
  expect(new Set(onPoints.map(([, time]) => Date.parse(time ?? '')))).toEqual(new Set([expected]));
});
