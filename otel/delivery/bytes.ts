/** Writes protobuf's wire format into a buffer that grows. */
export class Bytes {
  #buffer = Buffer.allocUnsafe(4_096);
  length = 0;

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  varint(value: number | bigint): void {
    this.#room(10);
    if (typeof value === 'bigint' || value < 0) return this.#long(BigInt.asUintN(64, BigInt(value)));
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) this.#buffer[this.length++] = (left % 128) | 128;
    this.#buffer[this.length++] = left;
  }

  fixed32(value: number): void {
    this.#room(4);
    this.length = this.#buffer.writeUInt32LE(value >>> 0, this.length);
  }

  /** Also a signed one. */
  fixed64(value: bigint): void {
    this.#room(8);
    this.length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.length);
  }

  double(value: number): void {
    this.#room(8);
    this.length = this.#buffer.writeDoubleLE(value, this.length);
  }

  blob(number: number, bytes: Buffer): void {
    this.tag(number, 2);
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.length += bytes.copy(this.#buffer, this.length);
  }

  /** A field whose length comes before what `write` writes. */
  delimited(number: number, write: () => void): void {
    this.tag(number, 2);
    const at = this.length++; // one byte is enough for the length of most
    this.#room(0);
    write();
    const { length } = this;
    const size = length - at - 1;
    if (size < 128) {
      this.#buffer[at] = size;
      return;
    }
    this.length = at;
    const content = Buffer.from(this.#buffer.subarray(at + 1, length));
    this.varint(size);
    this.#room(size);
    this.length += content.copy(this.#buffer, this.length);
  }

  #long(value: bigint): void {
    let left = value;
    for (; left > 127n; left >>= 7n) this.#buffer[this.length++] = Number(left & 127n) | 128;
    this.#buffer[this.length++] = Number(left);
  }

  #room(more: number): void {
    if (this.length + more <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.length + more));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
  }
}
