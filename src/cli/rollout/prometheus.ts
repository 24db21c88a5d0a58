/** Asks a Prometheus, or what speaks its HTTP API. Each error says where, why, and what to do. */
import { masked, readable } from '../../../otel/readable.ts';
import { CliError, EXIT } from '../exit.ts';

/** One series of an answer. Numbers are text, as in JSON they could be no infinities. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, NativeHistogram];
}

interface NativeHistogram {
  /** Which bounds belong to the bucket (a number), its bounds, its count. */
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

/** How long an answer may take. */
const ANSWER_MS = 60_000;

/** Holds headers for the address, like `Authorization=Bearer%20abc`: the format of OTEL_EXPORTER_OTLP_HEADERS. */
const HEADERS = 'TAUT_PROMETHEUS_HEADERS';

export class Prometheus {
  /** The address without secrets, for people. */
  readonly name: string;
  readonly #base: URL;
  readonly #headers: Headers;

  /** @throws CliError when the address or a header is none. */
  constructor(address: string, env: NodeJS.ProcessEnv) {
    this.name = masked(address);
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
      throw usage(`--prometheus ${this.name}: an address is wanted, like http://127.0.0.1:9090`);
    const { origin, pathname, username, password } = new URL(address);
    this.#base = new URL(pathname.replace(/\/*$/, '/'), origin);
    this.#headers = headersFrom(env[HEADERS]);
    if (username !== '' && !this.#headers.has('authorization')) {
      const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#headers.set('authorization', `Basic ${Buffer.from(user).toString('base64')}`);
    }
  }

  /** The value of an expression at a time, seconds since the epoch. @throws CliError */
  async query(expression: string, at: number): Promise<readonly Sample[]> {
    const asked = { query: expression, time: String(at) };
    const { result } = await this.#ask('query', asked, isVector);
    return result;
  }

  /** The names of the metrics that a selector matches between two times. @throws CliError */
  async names(selector: string, start: number, end: number): Promise<readonly string[]> {
    const within = { 'match[]': selector, start: String(start), end: String(end) };
    return await this.#ask('label/__name__/values', within, isNames, 'GET');
  }

  async #ask<T>(
    what: string,
    parameters: Record<string, string>,
    isMeant: (data: unknown) => data is T,
    method: 'GET' | 'POST' = 'POST',
  ): Promise<T> {
    const url = new URL(`api/v1/${what}`, this.#base);
    const form = new URLSearchParams(parameters);
    if (method === 'GET') url.search = form.toString();
    const signal = AbortSignal.timeout(ANSWER_MS);
    const sent = { method, headers: this.#headers, signal, ...(method === 'POST' && { body: form }) };
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(url, sent);
      text = await answer.text();
    } catch (error) {
      throw failed(this.#unreached(error as Error));
    }
    const { data, error } = parse(text);
    if (answer.ok && isMeant(data)) return data;
    throw failed(this.#refused(answer, typeof error === 'string' ? error : ''));
  }

  #unreached(error: Error): string {
    if (error.name === 'TimeoutError')
      return `${this.name} did not answer within ${ANSWER_MS / 1_000} s; ask for a shorter time with --since`;
    const why = readable([error.cause ?? error]);
    return `${this.name} can't be reached: ${why}; --prometheus is the address of the server, without /api`;
  }

  #refused({ status, statusText, ok }: Response, error: string): string {
    const said = readable([`${status} ${statusText}`, error]);
    if (status === 401 || status === 403)
      return `${this.name} answers ${said}; set ${HEADERS}, like Authorization=Bearer%20TOKEN`;
    if (error !== '') return `${this.name} answers ${said}`;
    const mend = 'is it the address of a Prometheus, without /api?';
    return ok ? `${this.name} does not answer as a Prometheus does; ${mend}` : `${this.name} answers ${said}; ${mend}`;
  }
}

/** @throws CliError */
function headersFrom(text = ''): Headers {
  const headers = new Headers();
  for (const pair of text.split(',').filter((one) => one.trim() !== '')) {
    const at = pair.indexOf('=');
    try {
      if (at < 1) throw new Error('a name and a value are wanted');
      headers.set(pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim()));
    } catch {
      // The value may be a secret, also one that is not well-formed.
      throw usage(`${HEADERS}: a header is NAME=VALUE, with %XX for special characters, and commas between headers`);
    }
  }
  return headers;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isVector = (data: unknown): data is { readonly result: readonly Sample[] } =>
  isObject(data) &&
  Array.isArray(data['result']) &&
  data['result'].every((one) => isObject(one) && isObject(one['metric']));

const isNames = (data: unknown): data is readonly string[] =>
  Array.isArray(data) && data.every((name) => typeof name === 'string');

/** What is no object has neither. */
function parse(text: string): { readonly data?: unknown; readonly error?: unknown } {
  try {
    const told: unknown = JSON.parse(text);
    return isObject(told) ? told : {};
  } catch {
    return {};
  }
}

const usage = (message: string) => new CliError(message, EXIT.usage);
const failed = (message: string) => new CliError(message, EXIT.failed);
