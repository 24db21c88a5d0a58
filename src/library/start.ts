/** Starts what `taut watch` starts, for an application: with its providers, without signals, terminal and exit codes. */

import { Combined } from '../../otel/combined.ts';
import type { Telemetry } from '../../otel/sdk.ts';
import { CliError, EXIT } from '../cli/exit.ts';
import { openSession, type Session, type SessionTelemetry } from '../cli/session.ts';
import { ConfigError } from '../config/configError.ts';
import { addon } from '../native.ts';
import { useProviders } from '../telemetry/scope.ts';
import { limited } from '../util/limitedLog.ts';
import type { Log } from '../util/log.ts';
import { printable } from '../util/printable.ts';
import { connect } from './metrics.ts';
import type { LogLevel, TautOptions } from './options.ts';
import { settleOptions } from './settings.ts';
import { StartError } from './startError.ts';
import type { Taut } from './taut.ts';

/** @param onEnd is called when another taut may be started. @throws StartError */
export async function start(given: TautOptions, onEnd: () => void): Promise<Taut> {
  await using stack = new AsyncDisposableStack();
  try {
    const { scope, options, configuration } = await settleOptions(given);
    requireAddon();
    const log = stack.use(limited(logOf(given.log)));
    stack.defer(() => useProviders({}));
    useProviders(given.telemetry ?? {});
    const { promise: gone, resolve } = Promise.withResolvers<string>();
    const session = stack.use(
      await openSession(
        {
          ...options,
          scope,
          telemetry: telemetryOf(given),
          isEmbedded: true,
          lifetime: { doing: '', end: ({ why }) => resolve(why), onUncaught: () => {} },
          ...(configuration && { configuration }),
          ...(given.gate && { gate: given.gate }),
          ...(given.onEvent && { onEvent: given.onEvent }),
        },
        log,
      ),
    );
    requireThat(session, given.require ?? []);
    const owned = stack.move();
    owned.defer(onEnd);
    return runningTaut(session, owned, gone);
  } catch (error) {
    throw startError(error);
  }
}

function runningTaut(session: Session, owned: AsyncDisposableStack, gone: Promise<string>): Taut {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  let ending: Promise<void> | undefined;
  const end = (why: string) => {
    ending ??= (async () => {
      await using _ = owned;
      await session.end();
    })().finally(() => resolve(why));
    return ending;
  };
  gone.then((why) => end(why)).catch(() => {});
  return {
    status: () => session.status(),
    get missing() {
      return session.missing;
    },
    ended,
    end: () => end('the application has ended it'),
    [Symbol.asyncDispose]: () => end('the application has ended it'),
  };
}

/** Without it everything would be lacking, and each thing would be said by itself. */
function requireAddon(): void {
  try {
    addon();
  } catch (error) {
    throw new StartError('ERR_TAUT_HOST', (error as Error).message, { cause: error });
  }
}

function requireThat(session: Session, needed: NonNullable<TautOptions['require']>): void {
  const lacking = needed.filter((what) => session.missing.includes(what));
  if (lacking.length === 0) return;
  const why = lacking.includes('measure') ? (session.status().tracer?.modeReason ?? undefined) : undefined;
  throw new StartError(
    'ERR_TAUT_HOST',
    `this host can't ${lacking.join(' and ')}${why === undefined ? '' : `: ${why}`}; taut doctor says what is missing, and how to get it`,
  );
}

/** The application's providers. Its reader exports when it likes, and it ends its SDK itself. */
function telemetryOf({ metrics, telemetry = {} }: TautOptions): SessionTelemetry {
  return {
    check: async () => {},
    async start(measured, _options, log): Promise<Telemetry> {
      if (!telemetry.tracerProvider && !isRegistered())
        log.warn('the application has registered no OpenTelemetry SDK: spans, metrics and log records go nowhere');
      const source = metrics && new Combined(measured, metrics.temporality);
      if (metrics) connect(metrics, source);
      const shutdown = async () => source?.end();
      return {
        describe: () => "traces, metrics and logs go to the application's providers",
        files: () => ({}),
        collectSoon: () => {},
        flush: async () => {},
        shutdown,
        [Symbol.asyncDispose]: shutdown,
      };
    },
  };
}

function isRegistered(): boolean {
  const registry = globalThis as { [key: symbol]: object | undefined };
  return registry[Symbol.for('opentelemetry.js.api.1')] !== undefined;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function logOf(say: TautOptions['log'] = sayLoudly): Log {
  const at = (level: LogLevel) => [level, (message: string) => say(level, printable(asOptions(message)))] as const;
  return Object.fromEntries(LEVELS.map(at)) as Log;
}

function sayLoudly(level: LogLevel, message: string): void {
  if (level === 'warn' || level === 'error') console.error(`taut: ${level}: ${message}`);
}

/** Messages name what the command line says; here these are options of other names: `--state-dir` is `stateDir`. */
function asOptions(message: string): string {
  return message.replaceAll(/--(?:no-)?([a-z]+(?:-[a-z]+)*)/g, (_, name: string) =>
    name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function startError(error: unknown): StartError {
  if (error instanceof StartError) return error;
  const { message } = error as Error;
  const say = (code: StartError['code']) => new StartError(code, printable(asOptions(message)), { cause: error });
  if (error instanceof ConfigError) return say('ERR_TAUT_OPTION');
  if (!(error instanceof CliError)) return say('ERR_TAUT_FAILED');
  if (error.reason === 'locked') return say('ERR_TAUT_LOCKED');
  return say(
    error.exitCode === EXIT.usage
      ? 'ERR_TAUT_OPTION'
      : error.exitCode === EXIT.host
        ? 'ERR_TAUT_HOST'
        : 'ERR_TAUT_FAILED',
  );
}
