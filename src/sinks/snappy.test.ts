import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { snappyBlock } from './snappy.ts';

/** As format_description.txt reads a block: its length, then literals; a copy is none. */
function unpacked(block: Buffer): { readonly told: number; readonly bytes: Buffer } {
  let at = 0;
  let told = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block.readUInt8(at++);
    told += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const pieces: Buffer[] = [];
  while (at < block.length) {
    assert.equal(block.readUInt8(at), 61 << 2);
    const length = block.readUInt16LE(at + 1) + 1;
    pieces.push(block.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return { told, bytes: Buffer.concat(pieces) };
}

test('what is packed is there again, of any length', () => {
  const lengths = fc.oneof(fc.nat(300), fc.constantFrom(65_535, 65_536, 65_537, 131_072, 200_000));
  fc.assert(
    fc.property(lengths, (length) => {
      const bytes = Buffer.alloc(length, 'flamegate');
      const { told, bytes: found } = unpacked(snappyBlock(bytes));
      assert.equal(told, length);
      assert(found.equals(bytes));
    }),
    { numRuns: 50 },
  );
});
