/** The server name of a TLS ClientHello (RFC 8446, RFC 6066). Pure and bounded, because the bytes are untrusted. */

export interface ServerName {
  /** In lower case. */
  readonly name: string;
  /** Whether Encrypted ClientHello is offered: then `name` is the outer name, and the real one may be another. */
  readonly ech: boolean;
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
const HANDSHAKE_HEADER = 4;
const MAX_RECORDS = 64;
/** The session id comes after the version and the random bytes. */
const SESSION_ID_AT = 34;
const SERVER_NAME = 0;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;
const HOST_NAME = 0;

/**
 * @param bytes the first bytes of a connection.
 * @returns `incomplete` if more bytes may complete a ClientHello; undefined if it is not one, or names no server.
 */
export function serverNameOf(bytes: Buffer): ServerName | 'incomplete' | undefined {
  const message = handshakeOf(bytes);
  if (!Buffer.isBuffer(message)) return message;
  const sessionId = field(message, SESSION_ID_AT, 1);
  const suites = sessionId && field(message, sessionId.end, 2);
  const compressions = suites && field(message, suites.end, 1);
  const extensions = compressions && field(message, compressions.end, 2);
  if (!extensions) return undefined;
  let name: string | undefined;
  let ech = false;
  for (let at = 0; at + 4 <= extensions.data.length; ) {
    const type = extensions.data.readUInt16BE(at);
    const extension = field(extensions.data, at + 2, 2);
    if (!extension) return undefined;
    if (type === SERVER_NAME) name ??= hostName(extension.data);
    else if (type === ENCRYPTED_CLIENT_HELLO) ech = true;
    at = extension.end;
  }
  return name === undefined ? undefined : { name, ech };
}

/** The body of the ClientHello, which may be split over several records. */
function handshakeOf(bytes: Buffer): Buffer | 'incomplete' | undefined {
  const fragments: Buffer[] = [];
  let have = 0;
  let at = 0;
  for (let i = 0; i < MAX_RECORDS; i++) {
    if ((bytes[at] ?? HANDSHAKE) !== HANDSHAKE || (bytes[at + 1] ?? 3) !== 3) return undefined;
    if (at + RECORD_HEADER > bytes.length) return 'incomplete';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0) return undefined;
    const fragment = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    fragments.push(fragment);
    have += fragment.length;
    at += RECORD_HEADER + length;
    const first = Buffer.concat(fragments);
    if ((first[0] ?? CLIENT_HELLO) !== CLIENT_HELLO) return undefined;
    const wanted = have < HANDSHAKE_HEADER ? HANDSHAKE_HEADER : HANDSHAKE_HEADER + first.readUIntBE(1, 3);
    if (have >= HANDSHAKE_HEADER && have >= wanted) return first.subarray(HANDSHAKE_HEADER, wanted);
    if (at > bytes.length) return 'incomplete';
  }
  return undefined;
}

/** Reads a field that begins with its length in `width` bytes; undefined when it is not complete. */
function field(bytes: Buffer, at: number, width: 1 | 2): { data: Buffer; end: number } | undefined {
  if (at + width > bytes.length) return undefined;
  const end = at + width + bytes.readUIntBE(at, width);
  return end > bytes.length ? undefined : { data: bytes.subarray(at + width, end), end };
}

function hostName(extension: Buffer): string | undefined {
  const list = field(extension, 0, 2)?.data;
  for (let at = 0; list && at + 3 <= list.length; ) {
    const entry = field(list, at + 1, 2);
    if (!entry) return undefined;
    if (list[at] === HOST_NAME) return nameOf(entry.data);
    at = entry.end;
  }
  return undefined;
}

/** Accepts only letters, digits, `.`, `_` and `-`: anything else is no host name, and must not be shown. */
function nameOf(data: Buffer): string | undefined {
  const text = data.toString('latin1').toLowerCase().replace(/\.$/, '');
  return text.length <= 255 && /^[a-z0-9._-]+$/.test(text) ? text : undefined;
}
