/**
 * A service that flagd's providers take for flagd. flagd itself can't be had from the registries, so what is real here is its
 * evaluation engine (@openfeature/flagd-core) and the providers; the server around them is the test's, written by its protocols.
 */
import { join } from 'node:path';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { FlagdCore } from '@openfeature/flagd-core';
import { ErrorCode, type EvaluationContext } from '@openfeature/server-sdk';

interface Value {
  readonly kind: 'numberValue' | 'stringValue' | 'boolValue';
  readonly numberValue: number;
  readonly stringValue: string;
  readonly boolValue: boolean;
}

interface Question {
  readonly flagKey: string;
  readonly context: { readonly fields: Readonly<Record<string, Value>> } | null;
}

type Stream = ServerWritableStream<unknown, unknown>;

const PROTOCOL = loadSync(join(import.meta.dirname, 'flagd.proto'), { defaults: true, oneofs: true });
const CODES = { [ErrorCode.FLAG_NOT_FOUND]: status.NOT_FOUND, [ErrorCode.TYPE_MISMATCH]: status.INVALID_ARGUMENT };

export class Flagd implements AsyncDisposable {
  readonly #server: Server;
  readonly #core = new FlagdCore();
  #text: string;
  readonly #events = new Set<Stream>();
  readonly #syncs = new Set<Stream>();
  /** Answers are late by so much; infinity: there are none. */
  delayMs = 0;

  private constructor(server: Server, text: string) {
    this.#server = server;
    this.#text = text;
    this.#core.setConfigurations(text);
  }

  /** @param text a flag file. */
  static async start(port: number, text: string): Promise<Flagd> {
    const server = new Server();
    const flagd = new Flagd(server, text);
    server.addService(methodsOf('flagd.Evaluation', 'flagd.evaluation.v2.Service'), {
      ResolveBoolean: flagd.#answers((key, context) => flagd.#core.resolveBooleanEvaluation(key, false, context)),
      ResolveString: flagd.#answers((key, context) => flagd.#core.resolveStringEvaluation(key, '', context)),
      ResolveFloat: flagd.#answers((key, context) => flagd.#core.resolveNumberEvaluation(key, 0, context)),
      EventStream: (stream: Stream) => {
        remember(stream, flagd.#events);
        stream.write({ type: 'provider_ready' });
      },
    });
    server.addService(methodsOf('flagd.Sync', 'flagd.sync.v1.FlagSyncService'), {
      SyncFlags: (stream: Stream) => {
        remember(stream, flagd.#syncs);
        stream.write({ flagConfiguration: flagd.#text });
      },
    });
    await new Promise<void>((done, failed) =>
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
        error ? failed(error) : done(),
      ),
    );
    return flagd;
  }

  /** Replaces the flags, and tells everybody who listens. */
  set(text: string): void {
    this.#text = text;
    this.#core.setConfigurations(text);
    const flags = Object.keys(JSON.parse(text).flags).map((key) => [key, { kind: 'structValue', structValue: {} }]);
    const data = { fields: { flags: { kind: 'structValue', structValue: { fields: Object.fromEntries(flags) } } } };
    for (const stream of this.#events) stream.write({ type: 'configuration_change', data });
    for (const stream of this.#syncs) stream.write({ flagConfiguration: text });
  }

  #answers(
    resolve: (key: string, context: EvaluationContext) => ReturnType<FlagdCore['resolveNumberEvaluation']> | object,
  ) {
    return (call: ServerUnaryCall<Question, unknown>, answer: sendUnaryData<unknown>) => {
      if (this.delayMs === Number.POSITIVE_INFINITY) return;
      const { flagKey, context } = call.request;
      const said = resolve(flagKey, contextOf(context)) as { errorCode?: keyof typeof CODES; errorMessage?: string };
      const { errorCode, errorMessage: details = '' } = said;
      const refusal = errorCode && { code: CODES[errorCode] ?? status.UNKNOWN, details };
      setTimeout(() => (refusal ? answer(refusal) : answer(null, said)), this.delayMs).unref();
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

function remember(stream: Stream, among: Set<Stream>): void {
  among.add(stream);
  for (const end of ['close', 'cancelled', 'error']) stream.on(end, () => among.delete(stream));
}

/** The methods of a service of flagd.proto, at the path that it has in the protocol. */
function methodsOf(name: string, inProtocol: string) {
  const methods = PROTOCOL[name];
  if (!methods || 'format' in methods) throw new Error(`flagd.proto has no service ${name}`);
  const renamed = Object.entries(methods).map(([method, definition]) => [
    method,
    { ...definition, path: definition.path.replace(name, inProtocol) },
  ]);
  return Object.fromEntries(renamed);
}

function contextOf(context: Question['context']): EvaluationContext {
  return Object.fromEntries(Object.entries(context?.fields ?? {}).map(([key, value]) => [key, value[value.kind]]));
}
