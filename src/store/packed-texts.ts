/** Texts in one piece of bytes: nearly all of a batch's names are known, and are found by their bytes without a string of each. */

export interface PackedTexts {
  /** UTF-8; what is between two texts says nothing. */
  readonly bytes: Buffer;
  readonly begins: Uint32Array;
  readonly ends: Uint32Array;
}

export function packTexts(texts: readonly string[]): PackedTexts {
  const bytes = Buffer.from(texts.join(''));
  const [begins, ends] = [new Uint32Array(texts.length), new Uint32Array(texts.length)];
  let end = 0;
  for (const [index, text] of texts.entries()) {
    begins[index] = end;
    end += Buffer.byteLength(text);
    ends[index] = end;
  }
  return { bytes, begins, ends };
}

export const textAt = ({ begins, bytes, ends }: PackedTexts, index: number): string =>
  bytes.toString('utf8', begins[index], ends[index]);

/** How many bytes it has, then those, four a word. Returns the number of words; there is to be room for them. */
export function writeWords({ begins, bytes, ends }: PackedTexts, index: number, words: Uint32Array): number {
  const [begin, end] = [begins[index] ?? 0, ends[index] ?? 0];
  let size = 0;
  words[size++] = end - begin;
  let at = begin;
  for (; at + 4 <= end; at += 4) {
    words[size++] =
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
  }
  for (; at < end; at++) words[size++] = byteAt(bytes, at);
  return size;
}

const byteAt = (bytes: Buffer, at: number): number => bytes[at] ?? 0;
