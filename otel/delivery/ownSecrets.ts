/** Takes taut's own secrets out of what a backend answers: some say back what they refuse, and taut says what they say. */
import { unescape as decoded } from 'node:querystring';

/** Shorter words are in too many sentences. */
const SHORTEST = 6;

/** User and password of an address, as they are sent in a header. */
function basic(user: string, password: string): string[] {
  const sent = Buffer.from(`${user}:${password}`).toString('base64');
  return [sent, sent.replace(/=+$/, '')];
}

/** User and password of such a header, which a backend may say back as it understood them. */
function ofBasic(header: string): string[] {
  const [, sent] = /^basic\s+(\S+)$/i.exec(header) ?? [];
  const text = sent === undefined ? '' : Buffer.from(sent, 'base64').toString();
  return [text, ...text.split(':')];
}

/**
 * @param headers those that somebody has given. @param address with user, password and query, if it has them.
 * @returns a function that writes asterisks over them, one for one, so that lengths in what it is given stay right.
 */
export function ownSecrets(headers: Readonly<Record<string, string>>, address: string): (bytes: Buffer) => Buffer {
  const { username, password, searchParams } = new URL(address);
  const given = [...Object.values(headers), username, password, ...searchParams.values()];
  const texts = given.flatMap((text) => [text, decoded(text)]).flatMap((text) => text.split(/\s+/));
  const words = [...texts, ...basic(decoded(username), decoded(password)), ...Object.values(headers).flatMap(ofBasic)];
  const secrets = [...new Set(words)].filter((word) => word.length >= SHORTEST);
  const hide = (text: string) =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, '*'.repeat(secret.length)), text);
  return (bytes) => Buffer.from(hide(bytes.toString('latin1')), 'latin1');
}
