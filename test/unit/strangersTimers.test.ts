/** What the tracer does at every timer of the host, whoever it belongs to. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bpfObjectPath } from '../../src/native.ts';

/** The bytes of a section of an ELF64 file. */
function section(elf: Buffer, wanted: string): Buffer {
  const at = (i: number) => Number(elf.readBigUInt64LE(0x28)) + i * elf.readUInt16LE(0x3a);
  const bytes = (header: number) => {
    const begin = Number(elf.readBigUInt64LE(header + 0x18));
    return elf.subarray(begin, begin + Number(elf.readBigUInt64LE(header + 0x20)));
  };
  const names = bytes(at(elf.readUInt16LE(0x3e))).toString('latin1');
  const headers = Array.from({ length: elf.readUInt16LE(0x3c) }, (_, i) => at(i));
  const found = headers.find((header) => names.startsWith(`${wanted}\0`, elf.readUInt32LE(header)));
  if (found === undefined) throw new Error(`no section ${wanted}`);
  return bytes(found);
}

const CALL = 0x85;
const MAP_LOOKUP = 1;

test('the program that runs at every timer of the host calls nothing but the look-up of its note: no clock', () => {
  const code = section(readFileSync(bpfObjectPath('taut')), 'tp_btf/hrtimer_expire_entry');
  const instructions = Array.from({ length: code.length / 8 }, (_, i) => code.subarray(8 * i, 8 * i + 8));
  const called = instructions.filter(([opcode]) => opcode === CALL).map((one) => one.readInt32LE(4));
  expect(called).toEqual([MAP_LOOKUP]);
});
