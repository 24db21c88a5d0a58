/** Reads the lists `key1=value1,key2=value2` of headers and of resource attributes. What is wrong in one may be a secret, so it is never shown. */
import { type Env, read, wrong } from './values.ts';

/** What an HTTP header may be made of, by RFC 9110. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

/** @throws TelemetryConfigError */
export function headersOf(env: Env, name: string): Record<string, string> {
  return pairsOf(env, name, (entry, fail) => {
    const at = entry.indexOf('=');
    if (at < 0) return fail('has no =');
    if (entry.includes(';')) return fail('has a ;, which is written %3B');
    const [key, value] = [decoded(entry.slice(0, at), fail), decoded(entry.slice(at + 1), fail)];
    if (!HEADER_NAME.test(key)) return fail('has a name that no HTTP header can have');
    if (!HEADER_VALUE.test(value))
      return fail(value === '' ? 'has no value' : 'has a character that no header can have');
    return [key, value];
  });
}

/** @throws TelemetryConfigError */
export function attributesOf(env: Env, name: string): Record<string, string> {
  return pairsOf(env, name, (entry, fail) => {
    const parts = entry.split('=');
    if (parts.length !== 2) return fail(parts.length < 2 ? 'has no =' : 'has a second =, which is written %3D');
    const [key = '', value = ''] = parts.map((part) => decoded(part, fail));
    return key === '' ? fail('has no key') : [key, value];
  });
}

/** The list that is read as these pairs. */
export function listOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join(',');
}

type Fail = (why: string) => never;

function pairsOf(
  env: Env,
  name: string,
  pair: (entry: string, fail: Fail) => readonly [string, string],
): Record<string, string> {
  const entries = (read(env, name) ?? '').split(',').map((entry) => entry.trim());
  const pairs = entries.map((entry, i) => {
    const fail: Fail = (why) => wrong(name, undefined, `entry ${i + 1} ${why}; wanted is key1=value1,key2=value2`);
    return entry === '' ? [] : [pair(entry, fail)];
  });
  return Object.fromEntries(pairs.flat());
}

function decoded(text: string, fail: Fail): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return fail('has a % that begins no percent-encoded character; a % itself is written %25');
  }
}
