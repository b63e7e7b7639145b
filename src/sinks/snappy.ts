/**
 * Snappy's block format (google/snappy, format_description.txt) without a copy: valid, and as long as what it holds. Remote write takes
 * nothing else, and what an agent writes is too little to be worth a compressor in its memory.
 */
const LONGEST_LITERAL = 65_536;
/** A literal whose length, less one, is in the two bytes that follow. */
const LITERAL_OF_TWO_BYTES = 61 << 2;

export function snappyBlock(bytes: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [uvarint(bytes.length)];
  for (let at = 0; at < bytes.length; at += LONGEST_LITERAL) {
    const literal = bytes.subarray(at, at + LONGEST_LITERAL);
    const last = literal.length - 1;
    pieces.push(Uint8Array.of(LITERAL_OF_TWO_BYTES, last & 0xff, last >>> 8), literal);
  }
  return Buffer.concat(pieces);
}

function uvarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Uint8Array.of(...bytes, rest);
}
