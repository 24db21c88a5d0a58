/** Runs the real program as a user does: through its launcher, with its own state directory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Program } from './program.ts';
import { allSpans } from './spans.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const LAUNCHER = join(ROOT, 'bin/taut');
export const FIXTURES = join(ROOT, 'test/kernel/fixtures');

interface Point {
  readonly count?: string | number;
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly attributes: { readonly key: string; readonly value: Record<string, unknown> }[];
}

interface Export {
  readonly resourceMetrics: {
    readonly scopeMetrics: {
      readonly metrics: {
        readonly name: string;
        readonly exponentialHistogram?: { readonly dataPoints: Point[] };
        readonly sum?: { readonly dataPoints: Point[] };
        readonly gauge?: { readonly dataPoints: Point[] };
      }[];
    }[];
  }[];
}

function plain(attributes: Point['attributes']): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** A state directory, and a configuration whose only rule matches the fixture agents of this test. */
export class Sandbox implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'taut-test-'));
  readonly config = join(this.dir, 'config.yaml');
  readonly stateDir = join(this.dir, 'state');
  /** An argument of this test's fixture agents, so that parallel tests do not see each other's agents. */
  readonly mark = `agent-${process.pid}-${Math.random().toString(36).slice(2)}`;

  readonly #env: NodeJS.ProcessEnv;

  /** @param env variables for every taut that it starts, added to the test's own. */
  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = { ...process.env, OTEL_METRIC_EXPORT_INTERVAL: '1000', ...env };
    writeFileSync(
      this.config,
      `version: 1\nbuiltin: false\nrules:\n  - id: fixture\n    name: fixture-agent\n    anyArg: ["${this.mark}"]\n`,
    );
  }

  /** One with rules of its own. @param more other keys of the configuration; the built-in rules are off unless given. */
  static withRules(rules: readonly object[], more: object = {}): Sandbox {
    const sandbox = new Sandbox();
    sandbox.useRules(rules, more);
    return sandbox;
  }

  /** Replaces the rules; parameters as in `withRules`. A running taut reads them again. */
  useRules(rules: readonly object[], more: object = {}): void {
    writeFileSync(this.config, JSON.stringify({ version: 1, builtin: false, rules, ...more }));
  }

  taut(...args: string[]): Program {
    return this.tautWith({}, ...args);
  }

  tautWith(env: NodeJS.ProcessEnv, ...args: string[]): Program {
    // `run` without an option, as most people write it: then the command starts before most of taut is loaded.
    if (args[0] === 'run') return new Program(LAUNCHER, args, { ...this.#env, TAUT_STATE_DIR: this.stateDir, ...env });
    return new Program(LAUNCHER, this.#withStateDir(args), { ...this.#env, ...env });
  }

  /** Starts `taut watch` and waits until it is ready. */
  async watch(...args: string[]): Promise<Program> {
    const program = this.taut('watch', '--config', this.config, ...args);
    await program.line(/watching/);
    return program;
  }

  /** The words of a `taut watch` for what starts it in a world of its own. */
  watchCommand(...options: readonly string[]): string[] {
    return [LAUNCHER, 'watch', '--state-dir', this.stateDir, '--config', this.config, ...options];
  }

  /** Starts taut under strace, which records every file that its processes and threads open. */
  async traced(output: string, ...args: string[]): Promise<Program> {
    return new Program('strace', [
      '-D',
      '-f',
      '-qq',
      '-o',
      output,
      '-e',
      'trace=open,openat,openat2,creat',
      LAUNCHER,
      ...this.#withStateDir(args),
    ]);
  }

  #withStateDir([command = '', ...args]: readonly string[]): string[] {
    return [command, '--state-dir', this.stateDir, ...args];
  }

  /** Sum of a histogram metric's counts, from the last export of each series. */
  lastCount(metric: string): number {
    return this.lastCounts(metric).reduce((sum, { count }) => sum + count, 0);
  }

  /** Counts of a histogram metric, from the last export of each series. */
  lastCounts(metric: string): { count: number; attributes: Record<string, unknown> }[] {
    const points = [...this.#lastPoints(metric).values()];
    return points.map(({ count, attributes }) => ({ count: Number(count ?? 0), attributes: plain(attributes) }));
  }

  /** Points of a sum metric, from the last export of each series. */
  lastSums(metric: string): { value: number; attributes: Record<string, unknown> }[] {
    return [...this.#lastPoints(metric).values()].map((point) => ({
      value: Number(point.asDouble ?? point.asInt ?? 0),
      attributes: plain(point.attributes),
    }));
  }

  #lastPoints(metric: string): Map<string, Point> {
    const points = new Map<string, Point>();
    for (const line of this.exports())
      for (const { scopeMetrics } of (JSON.parse(line) as Export).resourceMetrics)
        for (const { metrics } of scopeMetrics)
          for (const m of metrics.filter(({ name }) => name === metric))
            for (const point of (m.exponentialHistogram ?? m.sum ?? m.gauge)?.dataPoints ?? [])
              points.set(JSON.stringify(point.attributes), point);
    return points;
  }

  /** The exports of metrics in the sink, a line each; a running taut may be writing the last one. None while there is no file yet. */
  exports(): string[] {
    try {
      return readFileSync(join(this.stateDir, 'otlp/metrics.jsonl'), 'utf8').split('\n').slice(0, -1);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async json<T>(...args: string[]): Promise<T> {
    await using program = this.taut(...args, '--json');
    await program.ended;
    return JSON.parse(program.lines.join('\n')) as T;
  }

  python(fixture: string, ...args: string[]): Program {
    return new Program('python3', [join(FIXTURES, fixture), this.mark, ...args]);
  }

  node(fixture: string, ...args: string[]): Program {
    return new Program(process.execPath, [join(FIXTURES, fixture), this.mark, ...args]);
  }

  /** Also checks every trace of the test, even when the test reads none. */
  [Symbol.dispose](): void {
    const remove = () => rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 }); // a guard may still write there
    using _cleanUp = { [Symbol.dispose]: remove };
    allSpans(this.stateDir);
  }
}
