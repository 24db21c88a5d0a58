/** The patterns of a rule's `connect`, and whether a connection matches one. Pure. */
import { BlockList, isIP } from 'node:net';
import { globMatcher } from './globs.ts';

/** The peer of a connection. */
export interface Contact {
  readonly address: string;
  readonly port: number;
  /** Names that resolvers answered with this address. */
  readonly names: readonly string[];
  /** The server's name in the TLS ClientHello. With `ech` it is an outer name, which may hide the real name. */
  readonly serverName?: { readonly name: string; readonly ech: boolean };
}

/**
 * Compiles `10.1.2.3`, `10.0.0.0/8:443`, `[2001:db8::]/32`, `:11434`, `*.openai.com`, `api.anthropic.com:443`.
 * @throws RangeError that says what is wrong.
 */
export function contactMatcher(pattern: string): (contact: Contact) => boolean {
  const { host, port } = split(pattern);
  const isPort = (contact: Contact) => port === undefined || contact.port === port;
  if (host === '' && port === undefined) throw new RangeError('an empty pattern names nobody');
  if (host === '') return isPort;
  const [address = '', prefix] = host.split('/');
  const family = isIP(address);
  if (family === 0) {
    if (!/^[\w*?.[\]!-]+$/.test(host)) throw new RangeError(`"${pattern}" is no name, address, network or port`);
    const match = globMatcher([host]);
    return (contact) => isPort(contact) && namesOf(contact).some((name) => match(name) !== undefined);
  }
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (!/^\d*$/.test(prefix ?? '') || length > bits) throw new RangeError(`"${pattern}": a prefix is 0 to ${bits}`);
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  network.addSubnet(address, length, kind);
  return (contact) => isPort(contact) && network.check(contact.address, isIP(contact.address) === 4 ? 'ipv4' : 'ipv6');
}

/** The glob for names in a pattern; undefined when the pattern is an address, a network or a port. */
export function contactName(pattern: string): string | undefined {
  const { host } = split(pattern);
  return host === '' || isIP(host.split('/')[0] ?? '') !== 0 ? undefined : host;
}

/** The names of a connection: first the TLS server name, then the names from resolvers. */
export function namesOf({ names, serverName }: Contact): readonly string[] {
  return serverName ? [serverName.name, ...names] : names;
}

/** A server name as evidence shows it. */
export function describeServerName({ name, ech }: NonNullable<Contact['serverName']>): string {
  return `TLS server name ${name}${ech ? ' (outer name; ECH)' : ''}`;
}

function split(pattern: string): { host: string; port: number | undefined } {
  // `[v6]`, `[v6]:port`, `[v6]/len:port`; without brackets, more than one colon means an IPv6 address without a port.
  const match = /^\[([^\]]+)\](\/\d+)?(?::(.*))?$/.exec(pattern);
  if (match) return { host: `${match[1]}${match[2] ?? ''}`, port: portOf(pattern, match[3]) };
  const colons = pattern.split(':').length - 1;
  if (colons !== 1) return { host: pattern, port: undefined };
  const [host = '', port] = pattern.split(':');
  return { host, port: portOf(pattern, port) };
}

function portOf(pattern: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new RangeError(`"${pattern}": a port is 1 to 65535`);
}
