/** Telemetry waits for tuning, and not tuning for telemetry. */
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import type { Knob } from '../../src/actuator/knob.ts';
import type { GateDecision } from '../../src/gate/gate.ts';
import { Life, patience } from '../support/life.ts';
import { volume } from '../support/madeUpKnob.ts';

/** The written knobs and the spans that were made, in their order. */
const order: string[] = [];
const noting = (knob: Knob): Knob => ({
  ...knob,
  write: (thread, value) => {
    order.push(`write ${knob.id}`);
    knob.write(thread, value);
  },
});
const exporter = new InMemorySpanExporter();
const processor = new SimpleSpanProcessor({ exporter });
processor.onStart = ({ name }) => void order.push(`span ${name}`);
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [processor] }));

test('every knob of an agent is written before the first span is made', async () => {
  using life = new Life({ knobs: [noting(patience), noting(volume)] });
  await life.run('bot');
  expect(order.slice(0, 2)).toEqual(['write patience', `write ${volume.id}`]);
  expect(order.slice(2)).toEqual(
    ['attach', 'tune', 'verify', 'gate', 'tune', 'verify', 'gate'].map((n) => `span ${n}`),
  );
});

test('an agent that goes while its gate decides still has the spans of what was done to it', async () => {
  order.length = 0;
  exporter.reset();
  using life = new Life({ knobs: [noting(patience), noting(volume)] });
  const later = Promise.withResolvers<GateDecision>();
  life.gate.asks = ({ knob }) => (knob.id === patience.id ? { value: 1n, reason: 'at once' } : later.promise);
  const pid = await life.run('bot');
  life.host.end(pid);
  await life.hear();
  later.resolve({ value: 5n, reason: 'late' });
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['tune', 'verify', 'gate', 'attach']);
});
