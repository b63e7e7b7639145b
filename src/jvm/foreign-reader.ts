/** Reads along pointers of another process, where one failed read ends the whole walk. */
import { type Fields, littleEndian } from '../symbols/little-endian.ts';
import type { ReadMemory } from './read-memory.ts';

/** Every one throws UnreadableMemory. */
export interface ForeignReader {
  bytes(address: bigint, length: number): Uint8Array;
  record(address: bigint, length: number): Fields;
  pointer(address: bigint): bigint;
  i32(address: bigint): number;
  u16(address: bigint): number;
}

export class UnreadableMemory extends Error {
  constructor(address: bigint, length: number) {
    super(`${length} bytes at 0x${address.toString(16)} cannot be read`);
    this.name = 'UnreadableMemory';
  }
}

export function foreignReader(read: ReadMemory): ForeignReader {
  const bytes = (address: bigint, length: number): Uint8Array => {
    const found = read(address, length);
    if (!found) throw new UnreadableMemory(address, length);
    return found;
  };
  const record = (address: bigint, length: number) => littleEndian(bytes(address, length));
  return {
    bytes,
    record,
    pointer: (address) => record(address, 8).u64(0),
    i32: (address) => record(address, 4).i32(0),
    u16: (address) => record(address, 2).u16(0),
  };
}

/** What the walk found; undefined when a read failed in it. */
export function unlessUnreadable<T>(walk: () => T): T | undefined {
  try {
    return walk();
  } catch (error) {
    if (error instanceof UnreadableMemory) return undefined;
    throw error;
  }
}
