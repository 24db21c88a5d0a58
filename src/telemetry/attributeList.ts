/** Reads OpenTelemetry's list of attributes, `key1=value1,key2=value2`, percent-encoded, as OTEL_RESOURCE_ATTRIBUTES has it. */

/** By the specification one entry that is malformed has all of the list not count. The message quotes nothing, as it may be a secret. */
export class MalformedListError extends Error {
  override name = 'MalformedListError';
}

/** The pairs in their order; an entry that is empty is none. @throws MalformedListError */
export function attributePairs(list: string): [key: string, value: string][] {
  return list.split(',').flatMap((entry, i) => {
    if (entry.trim() === '') return [];
    const fail = (why: string): never => {
      throw new MalformedListError(`entry ${i + 1} ${why}`);
    };
    const parts = entry.split('=');
    if (parts.length !== 2) fail(parts.length < 2 ? 'has no =' : 'has a second =, which is written %3D');
    const [key = '', value = ''] = parts.map((part) => percentDecoded(part.trim()) ?? fail(NOT_ENCODED));
    return key === '' ? fail('has no key') : [[key, value] as [string, string]];
  });
}

export const NOT_ENCODED = 'has a % that begins no percent-encoded character; a % itself is written %25';

/** Undefined where a % begins no percent-encoded character. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
