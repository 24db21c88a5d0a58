/** taut's own warnings as log records. */
import { diag, logs } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { expect, test } from 'vitest';
import { recordWarnings } from '../../src/cli/recordWarnings.ts';
import { printable } from '../../src/util/printable.ts';

const exporter = new InMemoryLogRecordExporter();
const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
logs.setGlobalLoggerProvider(provider);
const told = () => exporter.getFinishedLogRecords().map(({ severityText, body }) => [severityText, body]);

test('warnings and errors are records, those from before the start of telemetry as well, and bounded', () => {
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  let at = 0;
  const { log, begin } = recordWarnings({ debug: say, info: say, warn: say, error: say }, () => at);
  log.warn('early');
  expect(told()).toEqual([]);
  begin();
  log.info('all is well');
  log.error('a tab\tand \u001b[2J');
  expect(told()).toEqual([
    ['WARN', 'early'],
    ['ERROR', printable('a tab\tand \u001b[2J')],
  ]);
  for (let n = 0; n < 200; n++) log.warn(`flood ${n}`);
  expect(told()).toHaveLength(100);
  expect(lines).toHaveLength(203);
  at = 60_000;
  log.warn('later');
  expect(told().slice(100)).toEqual([
    ['WARN', '102 more warnings were only logged'],
    ['WARN', 'later'],
  ]);
});

test('what is said after telemetry has ended is only logged, and makes the SDK say nothing', async () => {
  const complaints: unknown[] = [];
  const complain = (...parts: unknown[]) => void complaints.push(...parts);
  diag.setLogger({ error: complain, warn: complain, info: complain, debug: () => {}, verbose: () => {} });
  const lines: string[] = [];
  const say = (message: string) => void lines.push(message);
  const { log, begin } = recordWarnings({ debug: say, info: say, warn: say, error: say });
  begin();
  await provider.shutdown();
  log.warn('too late');
  expect([lines, complaints]).toEqual([['too late'], []]);
  diag.disable();
});
