/** Digests of words, for tables in memory: with secrets, so that nobody can send what is taken for something else, or meets in one slot. */
import { randomInt } from 'node:crypto';

export const DIGEST_WORDS = 3;

/** Writes the digest of the first `size` of `words`. */
export type SecretDigest = (words: Uint32Array, size: number, digest: Uint32Array) => void;

/**
 * 96 bits: of a million two have the same with a chance of one in 10^17. Each word is mixed with secrets first (multiply, xor and shift,
 * as in MurmurHash3, Appleby 2011), so that nobody outside knows what it counts for, and is taken up in three ways that depend on its
 * place. A digest of node:crypto takes a microsecond, as much as all the rest of what is done with a stack.
 */
export function secretDigest(): SecretDigest {
  const [saltA, saltB, seedA, seedB, seedC] = Array.from({ length: 5 }, () => randomInt(2 ** 32)) as Five;
  const [mixA, mixB, stepA, stepB, stepC] = Array.from({ length: 5 }, oddNumber) as Five;
  return (words, size, digest) => {
    let a = seedA ^ size;
    let b = seedB | 0;
    let c = seedC | 0;
    for (let index = 0; index < size; index++) {
      let word = Math.imul((words[index] ?? 0) ^ saltA, mixA);
      word = Math.imul(word ^ (word >>> 16) ^ saltB, mixB);
      word ^= word >>> 15;
      a = (Math.imul(a, stepA) + word) | 0;
      b = Math.imul(b ^ word, stepB);
      b = (b << 13) | (b >>> 19);
      c = Math.imul((c ^ (c >>> 17)) + word, stepC);
    }
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
    a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    digest[0] = a ^ (a >>> 16);
    digest[1] = b;
    digest[2] = c;
  };
}

type Five = [number, number, number, number, number];

const oddNumber = (): number => randomInt(2 ** 31) * 2 + 1;
