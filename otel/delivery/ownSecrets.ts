/** Takes taut's own secrets out of what a backend answers: some say back what they refuse, and taut says what they say. */
import { unescape as decoded } from 'node:querystring';

/** Shorter words are in too many sentences. */
const SHORTEST = 6;

/**
 * @param headers those that somebody has given. @param address with user, password and query, if it has them.
 * @returns a function that writes asterisks over them, one for one, so that lengths in what it is given stay right.
 */
export function ownSecrets(headers: Readonly<Record<string, string>>, address: string): (bytes: Buffer) => Buffer {
  const { username, password, searchParams } = new URL(address);
  const texts = [...Object.values(headers), username, password, ...searchParams.values()];
  const words = texts.flatMap((text) => [text, decoded(text)]).flatMap((text) => text.split(/\s+/));
  const secrets = [...new Set(words)].filter((word) => word.length >= SHORTEST);
  const hide = (text: string) =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '*'.repeat(secret.length)), text);
  return (bytes) => Buffer.from(hide(bytes.toString('latin1')), 'latin1');
}
