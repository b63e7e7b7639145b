/** For tests: a real file, as the parsers read it. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ReadFileBytes } from '../elf.ts';

export interface OpenFile extends Disposable {
  readonly read: ReadFileBytes;
}

export function openFile(path: string): OpenFile {
  const fd = openSync(path, 'r');
  return {
    read: (offset, length) => readFully(fd, BigInt(offset), length),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** All of it, or undefined: the file is shorter, or the memory behind it is not there. */
export function readFully(fd: number, position: bigint, length: number): Uint8Array | undefined {
  const bytes = Buffer.alloc(length);
  try {
    return readSync(fd, bytes, 0, length, position) === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
