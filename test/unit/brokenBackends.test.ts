/** Backends that are broken in many ways: what taut says of each names signal, address and reason. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDelivery } from '../../otel/delivery/exporters.ts';
import { BROKEN, startBroken } from '../support/broken.ts';
import { PEM } from '../support/otelVariables.ts';

test.each(Object.entries(BROKEN))('of a backend that %s, signal, address and reason are said', async (_, broken) => {
  await using backend = await startBroken(broken);
  const address = `${backend.endpoint}/v1/traces`;
  const said: string[] = [];
  const delivery = createDelivery(
    'traces',
    { kind: 'otlp', protocol: 'http/json', endpoint: backend.endpoint, address },
    {
      ...{ spool: undefined, limit: 1_000, where: `traces to ${address}`, say: (text) => void said.push(text) },
      transport: {
        ...{ headers: {}, isZipped: false, timeoutMs: 300 },
        tls: broken.trusts ? { ca: readFileSync(PEM(broken.trusts)) } : {},
      },
    },
  );
  await delivery.put({ items: 3, body: () => ({ format: 'json', bytes: Buffer.from('{}') }) }, false);
  expect(said).toEqual([expect.stringMatching(broken.reason)]);
  expect(said[0]?.startsWith(`traces to ${address}: `), said[0]).toBe(true);
  delivery.giveUp();
  await delivery.end();
});
