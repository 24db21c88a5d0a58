/** ClientHellos of the tests' own, by the book (RFC 8446). */

const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
const withLength = (data: Buffer, width: 1 | 2 | 3) => {
  const length = Buffer.alloc(width);
  length.writeUIntBE(data.length, 0, width);
  return Buffer.concat([length, data]);
};
const extension = (type: number, data: Buffer) => Buffer.concat([u16(type), withLength(data, 2)]);

/** The handshake message. */
export function clientHello(hello: { name?: string; ech?: boolean; padding?: number }): Buffer {
  const extensions = [extension(21, Buffer.alloc(hello.padding ?? 0))];
  if (hello.name !== undefined) {
    const entry = Buffer.concat([Buffer.from([0]), withLength(Buffer.from(hello.name), 2)]);
    extensions.push(extension(0, withLength(entry, 2)));
  }
  if (hello.ech) extensions.push(extension(0xfe0d, Buffer.alloc(40)));
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    withLength(Buffer.alloc(32, 1), 1),
    withLength(Buffer.from([0x13, 1, 0x13, 2]), 2),
    withLength(Buffer.from([0]), 1),
    withLength(Buffer.concat(extensions), 2),
  ]);
  return Buffer.concat([Buffer.from([1]), withLength(body, 3)]);
}

/** A handshake message in records of these sizes, and as many more of the last as it takes. */
export function inRecords(message: Buffer, sizes: readonly number[]): Buffer {
  const records: Buffer[] = [];
  for (let at = 0, i = 0; at < message.length; i++) {
    // The last ones large, so that there are never more than are looked at.
    const size = sizes[i] ?? 9_000;
    records.push(Buffer.from([22, 3, 1]), withLength(message.subarray(at, at + size), 2));
    at += size;
  }
  return Buffer.concat(records);
}
