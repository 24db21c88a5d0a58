/** Real backends as processes on loopback, configured by the files of `otel/backends/`. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program, until } from '../support/program.ts';
import { type BackendName, binary } from './binaries.ts';

export const CONFIG = resolve(import.meta.dirname, '../../otel/backends');

/** Ports that are free now. */
export async function freePorts(n: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: n }, () => {
      const server = createServer();
      return new Promise<typeof server>((done) => server.listen(0, '127.0.0.1', () => done(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Starts a backend, and waits until it answers at an address. */
export async function start(
  name: BackendName,
  args: string[],
  env: Record<string, string>,
  readyUrl: string,
  cwd?: string,
): Promise<Program> {
  const program = new Program(binary(name), args, { ...process.env, ...env }, cwd);
  let ended = false;
  void program.ended.then(() => {
    ended = true;
  });
  await until(`${name} is ready`, async () => {
    if (ended) throw new Error(`${name} ended:\n${program.errors.join('\n')}`);
    return fetch(readyUrl).then(
      () => true,
      () => false,
    );
  });
  return program;
}

export interface Backends extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly otlp: string;
  readonly jaeger: string;
  readonly prometheus: string;
  /** What the collector got of a signal, one request a line. */
  received<T>(signal: 'traces' | 'metrics' | 'logs'): T[];
}

/** How often the collector writes its files: otel/backends/collector.yaml. */
export const FLUSH_MS = 50;

/** A collector that feeds a Jaeger and a Prometheus. */
export async function startBackends(): Promise<Backends> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'taut-backends-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const [otlpPort, jaegerOtlp, jaegerQuery, jaegerGrpc, prometheusPort] = (await freePorts(5)).map(String);
  const jaeger = `http://127.0.0.1:${jaegerQuery}`;
  const prometheus = `http://127.0.0.1:${prometheusPort}`;
  const otlp = `http://127.0.0.1:${otlpPort}`;
  const env = {
    OUT_DIR: dir,
    OTLP_PORT: String(otlpPort),
    JAEGER_OTLP_PORT: String(jaegerOtlp),
    JAEGER_QUERY_PORT: String(jaegerQuery),
    JAEGER_GRPC_PORT: String(jaegerGrpc),
    JAEGER_UI_CONFIG: join(CONFIG, 'jaeger-ui.json'),
    PROMETHEUS_PORT: String(prometheusPort),
  };
  stack.use(await start('jaeger', ['--config', join(CONFIG, 'jaeger.yaml')], env, `${jaeger}/api/v3/services`));
  const prometheusArgs = [
    `--config.file=${join(CONFIG, 'prometheus.yaml')}`,
    '--web.enable-otlp-receiver',
    `--storage.tsdb.path=${join(dir, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${prometheusPort}`,
  ];
  stack.use(await start('prometheus', prometheusArgs, env, `${prometheus}/-/ready`));
  stack.use(await start('otelcol', ['--config', join(CONFIG, 'collector.yaml')], env, otlp));
  const owned = stack.move();
  return {
    otlp,
    jaeger,
    prometheus,
    received: (signal) => requests(join(dir, `${signal}.jsonl`)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * A collector on a port, for which nobody else is there: what it is sent is in its files.
 * @param tls it speaks TLS, with these files.
 */
export async function startCollector(
  port: number,
  tls?: Readonly<Record<string, string>>,
): Promise<Pick<Backends, 'received'> & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'taut-backends-'));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  const nobody = { JAEGER_OTLP_PORT: '9', PROMETHEUS_PORT: '9' };
  const env = { ...nobody, OUT_DIR: dir, OTLP_PORT: String(port) };
  const otlp = `http://127.0.0.1:${port}`;
  const more = Object.entries(tls ?? {}).map(
    ([key, file]) => `yaml:receivers::otlp::protocols::http::tls::${key}: ${file}`,
  );
  const configs = [join(CONFIG, 'collector.yaml'), ...more].flatMap((one) => ['--config', one]);
  stack.use(await start('otelcol', configs, env, otlp));
  const owned = stack.move();
  return {
    received: (signal) => requests(join(dir, `${signal}.jsonl`)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A collector that reads the files of taut's embedded sink. @returns what it made of them. */
export async function startFileCollector(stateDir: string): Promise<Pick<Backends, 'received'> & AsyncDisposable> {
  const dir = join(stateDir, '../collected');
  mkdirSync(dir);
  const env = { ...process.env, OUT_DIR: dir, TAUT_STATE_DIR: stateDir };
  const program = new Program(binary('otelcol'), ['--config', join(CONFIG, 'collector-files.yaml')], env);
  await program.line(/Everything is ready/);
  return {
    received: (signal) => requests(join(dir, `${signal}.jsonl`)),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

function requests<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  // The last line may still be being written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}
