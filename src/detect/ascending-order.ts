const DIGITS = 8; // of a double, a byte each
const RADIX = 256;

/**
 * Positions of the values in ascending order; equal ones keep theirs. By bytes from the last to the first, because a look
 * sorts every function a few times over and a comparator costs as much as all the rest of it. No value may be NaN.
 */
export function ascendingOrder(values: Float64Array): Uint32Array {
  const { length } = values;
  const doubles = new Float64Array(length);
  for (let at = 0; at < length; at++) doubles[at] = (values[at] ?? 0) + 0; // -0 is 0
  const halves = new Uint32Array(doubles.buffer);
  const starts = new Uint32Array(DIGITS * RADIX);
  for (let at = 0; at < length; at++) {
    orderByBits(halves, at);
    for (let digit = 0; digit < DIGITS; digit++) {
      const slot = digit * RADIX + byteOf(halves, at, digit);
      starts[slot] = (starts[slot] ?? 0) + 1;
    }
  }
  let order = new Uint32Array(length);
  for (let at = 0; at < length; at++) order[at] = at;
  let other = new Uint32Array(length);
  for (let digit = 0; digit < DIGITS; digit++) {
    const ofDigit = starts.subarray(digit * RADIX, (digit + 1) * RADIX);
    if (ofDigit.includes(length)) continue; // the same byte in all
    let start = 0;
    for (let byte = 0; byte < RADIX; byte++) {
      const count = ofDigit[byte] ?? 0;
      ofDigit[byte] = start;
      start += count;
    }
    for (let rank = 0; rank < length; rank++) {
      const at = order[rank] ?? 0;
      const byte = byteOf(halves, at, digit);
      const to = ofDigit[byte] ?? 0;
      ofDigit[byte] = to + 1;
      other[to] = at;
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Turns the bits of a double so that they count up as the numbers do: all of a negative one's, else the sign. */
function orderByBits(halves: Uint32Array, at: number): void {
  const low = halves[2 * at] ?? 0;
  const high = halves[2 * at + 1] ?? 0;
  const isNegative = high >>> 31 === 1;
  halves[2 * at] = isNegative ? ~low : low;
  halves[2 * at + 1] = isNegative ? ~high : high ^ 0x80000000;
}

const byteOf = (halves: Uint32Array, at: number, digit: number): number =>
  ((halves[2 * at + (digit >> 2)] ?? 0) >>> (8 * (digit & 3))) & 0xff;
