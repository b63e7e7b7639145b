/** HotSpot's coding of integers in one to five bytes (hotspot/share/utilities/unsigned5.hpp). */

export interface Unsigned5Reader {
  /** Where the next byte stands. */
  readonly position: number;
  /** The next byte as it is; undefined behind the end. */
  byte(): number | undefined;
  /** Undefined when the bytes end in it. */
  unsigned(): number | undefined;
  /** The sign is in the lowest bit. */
  signed(): number | undefined;
}

/** 0, or from JDK 20 on 1: so many byte values are kept out of the coding, from zero on. */
export type ExcludedBytes = 0 | 1;

const BITS_PER_DIGIT = 6;
const FIRST_CONTINUING = 192; // a byte from here on says that another follows, whether zero is kept out or not
const MAX_BYTES = 5; // 32 bits

export function readUnsigned5(bytes: Uint8Array, excluded: ExcludedBytes, start = 0): Unsigned5Reader {
  let position = start;
  const unsigned = (): number | undefined => {
    let sum = 0;
    for (let i = 0; i < MAX_BYTES; i++) {
      const byte = bytes[position];
      if (byte === undefined) return undefined;
      position++;
      sum += (byte - excluded) * 2 ** (BITS_PER_DIGIT * i);
      if (byte < FIRST_CONTINUING) break;
    }
    return sum >>> 0;
  };
  return {
    get position() {
      return position;
    },
    byte: () => bytes[position++],
    unsigned,
    signed() {
      const value = unsigned();
      return value === undefined ? undefined : (value >>> 1) ^ -(value & 1);
    },
  };
}
