/** taut inside an application. This file loads nothing else, so that it can say what the application lacks. */
import * as api from '@opentelemetry/api';
import type { TautOptions } from './options.ts';
import { StartError } from './startError.ts';
import type { Taut } from './taut.ts';

/** The least Node: it has `AsyncDisposableStack`, and `node:sqlite` without a flag. */
const LEAST_NODE = 24;

/** A process has one taut: its providers, its locks and its canary are the process's. */
let isStarted = false;

/**
 * Finds agents, measures them, and tunes them where the options say so, as `taut watch` does. Spans, metrics and log records go to
 * the application's providers. It handles no signal, never ends the process and does not keep it alive; when the process ends in
 * any way, everything is put back.
 * @throws StartError with a code, before anything was changed.
 */
export async function startTaut(options: TautOptions = {}): Promise<Taut> {
  requireNode(process.versions.node);
  if (isStarted)
    throw new StartError('ERR_TAUT_STARTED', 'this process has a taut already: end that one, or give it both scopes');
  requireSameApi(options);
  isStarted = true;
  try {
    const { start } = await import('./start.ts');
    return await start(options, () => {
      isStarted = false;
    });
  } catch (error) {
    isStarted = false;
    throw error;
  }
}

function requireNode(version: string): void {
  if (Number.parseInt(version, 10) >= LEAST_NODE) return;
  throw new StartError('ERR_TAUT_NODE', `taut needs Node ${LEAST_NODE} or later, and this is ${version}`);
}

/** Where every copy of `@opentelemetry/api` 1.x keeps what the application has registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** A copy of the API does not see what an older one has registered: every span would be lost without a word. */
function requireSameApi({ telemetry = {} }: TautOptions): void {
  const registered = (globalThis as { [REGISTRY]?: { version?: string; trace?: unknown; metrics?: unknown } })[
    REGISTRY
  ];
  const isSeen = (mine: unknown, theirs: unknown) => theirs === undefined || mine === theirs;
  const traces = telemetry.tracerProvider !== undefined || isSeen(api.trace.getTracerProvider(), registered?.trace);
  const points = telemetry.meterProvider !== undefined || isSeen(api.metrics.getMeterProvider(), registered?.metrics);
  if (traces && points) return;
  throw new StartError(
    'ERR_TAUT_API',
    `the application has registered its telemetry with @opentelemetry/api ${registered?.version}, which the copy that taut loads does not see: install one version for both (npm ls @opentelemetry/api), or give the providers as telemetry`,
  );
}
