/** Hashes of stacks as words, for tables in memory: with a secret each, so that nobody can send stacks that all meet in one slot. */
import { randomInt } from 'node:crypto';

export type StackHash = (words: Uint32Array, begin: number, size: number) => number;

/** 32 bits: multiply and rotate by word, mixed at the end as in MurmurHash3 (Appleby 2011). */
export function secretHash(): StackHash {
  const seed = randomInt(2 ** 32);
  const factor = randomInt(2 ** 31) * 2 + 1;
  return (words, begin, size) => {
    let hash = seed ^ size;
    for (let index = begin; index < begin + size; index++) {
      hash = Math.imul(hash ^ (words[index] ?? 0), factor);
      hash = (hash << 13) | (hash >>> 19);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  };
}
