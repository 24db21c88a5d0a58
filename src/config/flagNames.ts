/** How taut's feature flags are called, and by what their percentages are drawn. */

/** What the key of each of taut's flags begins with, unless another prefix is given. */
export const FLAG_PREFIX = 'taut.';

/**
 * What a flag's percentage is drawn by:
 * - `process`: this process, as long as it runs
 * - `agent`: all agents of one name on this host
 * - `host`: all agents of this host
 * - `user`: all agents of one user, on every host where the user is called so
 */
export const TARGETING_KEYS = ['process', 'agent', 'host', 'user'] as const;
export type TargetingKey = (typeof TARGETING_KEYS)[number];

/** @throws RangeError */
export function parsePrefix(text: string): string {
  if (/^[A-Za-z0-9._/:-]{1,100}$/.test(text)) return text;
  throw new RangeError(`"${text}" is no prefix: letters, digits and . _ / : - are wanted, like ${FLAG_PREFIX}`);
}
