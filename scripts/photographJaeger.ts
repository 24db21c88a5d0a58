/**
 * Makes `docs/jaeger.png`: Jaeger's own page in Chromium, with the trace of an agent that taut tuned, and the way back to its dashboard.
 * By hand, as root, with Go and Chromium (Debian: `chromium`), and with the page itself, which Jaeger's Go module does not bring:
 *   git clone --branch v2.14.0 https://github.com/jaegertracing/jaeger-ui && cd jaeger-ui && npm ci && npm run build
 *   node scripts/photographJaeger.ts jaeger-ui/packages/jaeger-ui/build docs/jaeger.png
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CONFIG, freePorts, start } from '../test/backends/services.ts';
import { until } from '../test/support/program.ts';
import { sleeper } from '../test/support/sleeper.ts';
import { Sandbox } from '../test/support/taut.ts';
import { photograph, SPANS } from './photograph.ts';

const [, , page, file] = process.argv;
if (page === undefined || file === undefined) throw new Error('usage: node scripts/photographJaeger.ts PAGE FILE');
/** What is clicked on: the first span, and its attributes. */
const OPEN = `
  const click = (selector) => document.querySelector(selector)?.click();
  click('.span-view');
  setTimeout(() => click('.AccordianKeyValues--header, .AccordionAttributes--header'), 500);`;
const LINK = "document.body.innerText.includes('the dashboard') || !!document.querySelector('[href*=\"/d/taut?\"]')";

const [otlp, query, grpc] = (await freePorts(3)).map(String);
const at = `http://127.0.0.1:${query}`;
const env = {
  ...{ JAEGER_OTLP_PORT: otlp ?? '', JAEGER_QUERY_PORT: query ?? '', JAEGER_GRPC_PORT: grpc ?? '' },
  JAEGER_UI_CONFIG: join(CONFIG, 'jaeger-ui.json'),
};
const config = [
  '--config',
  join(CONFIG, 'jaeger.yaml'),
  `--set=extensions.jaeger_query.ui.assets_path=${resolve(page)}`,
];
{
  await using _jaeger = await start('jaeger', config, env, `${at}/api/v3/services`);
  const traceId = await traced(`http://127.0.0.1:${otlp}`);
  const shown = { open: OPEN, isOpen: LINK };
  writeFileSync(
    file,
    await photograph(`${at}/trace/${traceId}`, { width: 1280, height: 937, isThere: SPANS, ...shown }),
  );
}

/** An agent that is found, tuned and put back. @returns its trace. */
async function traced(endpoint: string): Promise<string> {
  using sandbox = Sandbox.withRules([]);
  sandbox.useRules([{ id: 'example', name: 'example-agent', anyArg: [sandbox.mark] }]);
  const sends = {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    OTEL_RESOURCE_ATTRIBUTES: 'host.name=example,host.id=example,ip=192.0.2.1', // of no real machine
  };
  await using _agent = await sleeper(sandbox);
  const watch = ['watch', '--config', sandbox.config, '--optimize=timers'];
  await using taut = sandbox.tautWith(sends, ...watch);
  await taut.line(/watching/);
  await setTimeout(100); // so that putting back stands apart from tuning
  await taut.stop();
  let found: string | undefined;
  await until('Jaeger has the trace', async () => {
    const reply = await fetch(`${at}/api/traces?service=taut`);
    const { data } = (await reply.json()) as { data: { traceID: string }[] | null };
    found = data?.[0]?.traceID;
    return found !== undefined;
  });
  return found ?? '';
}
