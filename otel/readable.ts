/** What the SDK and its exporters complain with, as one line that may be shown: printable, short, without secrets. */

const MAX_TEXT = 500;

/** Everything that was handed over: texts, errors, bytes, objects. */
export function readable(parts: readonly unknown[]): string {
  const text = parts.map(part).filter((one) => one !== '');
  return shown(text.join(' '));
}

/** Without control characters, which would reach a terminal; cut where it is long; user names, passwords and queries masked. */
function shown(text: string): string {
  const printable = masked(text)
    .replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]+/gu, ' ')
    .trim();
  return printable.length > MAX_TEXT ? `${printable.slice(0, MAX_TEXT)}…` : printable;
}

/** What may be a secret in an address is masked, also in one that can't be understood: `http://***@host/path?***`. */
export function masked(text: string): string {
  return text
    .replace(/(:\/\/)[^\s'"]*@/g, '$1***@')
    .replace(/(^|[\s='"(])(?!\w+:\/\/)[^\s'"@/=]*:[^\s'"@]*@/g, '$1***@')
    .replace(/(:\/\/[^\s?'"]*)\?[^\s'")]*/g, '$1?***');
}

function part(value: unknown): string {
  if (typeof value === 'string') return fromJson(value);
  if (value instanceof Error) return ofError(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value === undefined) return '';
  return JSON.stringify(value) ?? String(value);
}

/** The SDK's global error handler hands over errors as JSON with their stacks. */
function fromJson(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const error = JSON.parse(text) as { message?: string; code?: string; name?: string; stack?: string };
    return error.stack === undefined ? text : error.message || error.code || error.name || text;
  } catch {
    return text;
  }
}

/** With what a server answered, which says why: status, then body. Several addresses that were tried: the first's error. */
function ofError(error: Error & { code?: unknown; data?: unknown }): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  const message = error.message || first?.message || String(error.code ?? error.name);
  if (typeof error.code !== 'number') return message;
  return [error.code, message, error.data].filter((one) => one !== undefined && one !== '').join(' ');
}
