/** What otel/backends/compose.yaml starts, but for Grafana: real processes on loopback with the same configurations. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CONFIG, freePorts, start } from './services.ts';

/** One result of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** The value, or how many observations a histogram has. */
  readonly value: number;
}

export interface Stack extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT: the collector beside taut. */
  readonly otlp: string;
  readonly jaeger: string;
  readonly prometheus: string;
  /** @throws Error when Prometheus refuses the query. */
  query(promql: string): Promise<Sample[]>;
}

/** @param home where Prometheus is started: it serves its page from there, if there is one. */
export async function startStack(home?: string): Promise<Stack> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'taut-stack-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const [agent, gateway, jaegerOtlp, jaegerQuery, jaegerGrpc, prometheusPort] = (await freePorts(6)).map(String);
  const at = (port: string | undefined) => `http://127.0.0.1:${port}`;
  const env = {
    ...{ AGENT_PORT: agent ?? '', GATEWAY_PORT: gateway ?? '', BATCH_TIMEOUT: '50ms' },
    ...{ GATEWAY_ENDPOINT: at(gateway), JAEGER_ENDPOINT: at(jaegerOtlp), PROMETHEUS_ENDPOINT: at(prometheusPort) },
    ...{ JAEGER_OTLP_PORT: jaegerOtlp ?? '', JAEGER_QUERY_PORT: jaegerQuery ?? '', JAEGER_GRPC_PORT: jaegerGrpc ?? '' },
    JAEGER_UI_CONFIG: join(CONFIG, 'jaeger-ui.json'),
  };
  const config = (name: string) => ['--config', join(CONFIG, name)];
  stack.use(await start('jaeger', config('jaeger.yaml'), env, `${at(jaegerQuery)}/api/v3/services`));
  const prometheusArgs = [
    ...composed('prometheus').filter((word) => !/^--(config|storage|web\.listen)/.test(word)),
    `--config.file=${quick(dir)}`,
    `--storage.tsdb.path=${join(dir, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ];
  stack.use(await start('prometheus', prometheusArgs, env, `${at(prometheusPort)}/-/ready`, home));
  for (const [name, port] of [
    ['gateway', gateway],
    ['agent', agent],
  ] as const) {
    const own = { ...env, QUEUE_DIR: join(dir, name) };
    stack.use(await start('otelcol', config(`${name}.yaml`), own, at(port)));
  }
  const owned = stack.move();
  return {
    otlp: at(agent),
    jaeger: at(jaegerQuery),
    prometheus: at(prometheusPort),
    query: (promql) => query(at(prometheusPort), promql),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The arguments that a service of compose.yaml is started with. */
function composed(service: string): string[] {
  const { services } = parse(readFileSync(join(CONFIG, 'compose.yaml'), 'utf8')) as {
    services: Record<string, { command?: string[] }>;
  };
  return services[service]?.command ?? [];
}

/** Prometheus' configuration and rules, but that they are evaluated each second, and that alerts do not wait. @returns its path. */
function quick(dir: string): string {
  const folder = join(dir, 'config');
  mkdirSync(folder);
  for (const name of ['prometheus.yaml', 'rules.yaml']) {
    const text = readFileSync(join(CONFIG, name), 'utf8');
    const hasten = text
      .replace(/evaluation_interval: \w+/, 'evaluation_interval: 1s')
      .replace(/^( +for:) \w+$/gm, '$1 0s');
    writeFileSync(join(folder, name), hasten);
  }
  return join(folder, 'prometheus.yaml');
}

async function query(prometheus: string, promql: string): Promise<Sample[]> {
  const reply = await fetch(`${prometheus}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: promql }),
  });
  const { data, error } = (await reply.json()) as {
    data?: {
      result: { metric: Record<string, string>; value?: [number, string]; histogram?: [number, { count: string }] }[];
    };
    error?: string;
  };
  if (!data) throw new Error(`${promql}: ${error}`);
  return data.result.map(({ metric, value, histogram }) => ({
    metric,
    value: Number(value?.[1] ?? histogram?.[1].count),
  }));
}
