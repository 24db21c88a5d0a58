/** Reads the lists `key1=value1,key2=value2` of headers and of resource attributes. What is wrong in one may be a secret, so it is never shown. */
import { attributePairs, MalformedListError, NOT_ENCODED, percentDecoded } from '../../src/telemetry/attributeList.ts';
import { type Env, read, wrong } from './values.ts';

/** What an HTTP header may be made of, by RFC 9110. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

const WANTED = 'wanted is key1=value1,key2=value2';

/** @throws TelemetryConfigError */
export function headersOf(env: Env, name: string): Record<string, string> {
  const entries = (read(env, name) ?? '').split(',').map((entry) => entry.trim());
  const pairs = entries.map((entry, i) => {
    const fail = (why: string) => wrong(name, undefined, `entry ${i + 1} ${why}; ${WANTED}`);
    return entry === '' ? [] : [header(entry, fail)];
  });
  return Object.fromEntries(pairs.flat());
}

/** Unlike in an attribute, more = may be in the value. */
function header(entry: string, fail: (why: string) => never): readonly [string, string] {
  const at = entry.indexOf('=');
  if (at < 0) return fail('has no =');
  if (entry.includes(';')) return fail('has a ;, which is written %3B');
  const decoded = (text: string) => percentDecoded(text.trim()) ?? fail(NOT_ENCODED);
  const [key, value] = [decoded(entry.slice(0, at)), decoded(entry.slice(at + 1))];
  if (!HEADER_NAME.test(key)) return fail('has a name that no HTTP header can have');
  if (!HEADER_VALUE.test(value)) return fail(value === '' ? 'has no value' : 'has a character that no header can have');
  return [key, value];
}

/** @throws TelemetryConfigError */
export function attributesOf(env: Env, name: string): Record<string, string> {
  try {
    return Object.fromEntries(attributePairs(read(env, name) ?? ''));
  } catch (error) {
    if (error instanceof MalformedListError) return wrong(name, undefined, `${error.message}; ${WANTED}`);
    throw error;
  }
}

/** The list that is read as these pairs. */
export function listOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join(',');
}
