/**
 * Text as class files and HotSpot's Symbols hold it (JVM specification, 4.4.7): NUL takes two bytes, what lies above the
 * basic plane takes two surrogates of three bytes. Bytes that are none become U+FFFD.
 */
export function decodeModifiedUtf8(bytes: Uint8Array): string {
  const units: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : 0;
    const rest = bytes.subarray(at + 1, at + length);
    if (length === 0 || rest.length < length - 1 || rest.some((byte) => byte >> 6 !== 0b10)) {
      units.push('\ufffd');
      at++;
      continue;
    }
    const high = length === 1 ? first : first & (0xff >> (length + 1));
    units.push(String.fromCharCode(rest.reduce((code, byte) => (code << 6) | (byte & 0x3f), high)));
    at += length;
  }
  return units.join('');
}
