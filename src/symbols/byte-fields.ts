/** Reads fields of a line of bytes. */

const SPACE = 0x20;
const MAX_HEX_DIGITS = 13; // 52 bits: exact as a number, and above every user address of 48-bit paging

/** The end of the field that begins at `start`: the next space, or `end`. */
export function fieldEnd(bytes: Uint8Array, start: number, end: number): number {
  return indexOfByte(bytes, SPACE, start, end);
}

/** Where the byte is in bytes[start, end); `end` if it is not. Faster than indexOf, which looks past the line. */
export function indexOfByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return Math.min(at, end);
}

/** The hexadecimal number in bytes[start, end), with or without 0x; undefined if it is none or above 52 bits. */
export function parseHex(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  if (bytes[at] === 0x30 && bytes[at + 1] === 0x78 && at + 1 < end) at += 2;
  if (at >= end) return undefined;
  while (at < end - 1 && bytes[at] === 0x30) at++;
  if (end - at > MAX_HEX_DIGITS) return undefined;
  let value = 0;
  for (; at < end; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit < 0) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

/** -1 if the byte is no hexadecimal digit. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
