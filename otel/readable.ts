/** Turns complaints of the SDK and its exporters into one line: printable, short, without secrets. */

const MAX_TEXT = 500;

/** @param parts all arguments of the complaint: texts, errors, bytes, objects. */
export function readable(parts: readonly unknown[]): string {
  const text = parts.map(part).filter((one) => one !== '');
  return shown(text.join(' '));
}

/** Removes control characters, which could reach a terminal; cuts long text; masks user names, passwords, queries. */
function shown(text: string): string {
  const printable = masked(text)
    .replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]+/gu, ' ')
    .trim();
  return printable.length > MAX_TEXT ? `${printable.slice(0, MAX_TEXT)}…` : printable;
}

/** Masks possible secrets in an address, also in an invalid one: `http://***@host/path?***`. */
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

/** The SDK's global error handler passes errors as JSON with their stacks. */
function fromJson(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const error = JSON.parse(text) as { message?: string; code?: string; name?: string; stack?: string };
    return error.stack === undefined ? text : error.message || error.code || error.name || text;
  } catch {
    return text;
  }
}

/** Includes the server's answer (status, then body). When several addresses failed, the error of the first one. */
function ofError(error: Error & { code?: unknown; data?: unknown }): string {
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  const message = error.message || first?.message || String(error.code ?? error.name);
  if (typeof error.code !== 'number') return message;
  return [error.code, message, error.data].filter((one) => one !== undefined && one !== '').join(' ');
}
