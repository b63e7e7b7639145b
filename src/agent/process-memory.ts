/** The memory of another process, by /proc/PID/mem. Opening it asks for the right to trace the process; reading stops nothing. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ReadMemory } from '../jvm/read-memory.ts';

export interface ProcessMemory extends Disposable {
  readonly read: ReadMemory;
}

const MAX_ADDRESS = 2n ** 57n; // five levels of pages; what lies above is the kernel's

/** Stays with the process that has the pid now: when that ends, every read fails. Throws ENOENT, EACCES, EPERM. */
export function openProcessMemory(procRoot: string, pid: number): ProcessMemory {
  const fd = openSync(`${procRoot}/${pid}/mem`, 'r');
  return {
    read: (address, length) => (address < MAX_ADDRESS ? readWhole(fd, address, length) : undefined),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Exactly `length` bytes of a file or a process, or undefined. */
export function readWhole(fd: number, position: bigint, length: number): Uint8Array | undefined {
  const bytes = Buffer.allocUnsafeSlow(length); // not from node's pool, which one small piece would keep
  try {
    return readSync(fd, bytes, 0, length, position) === length ? bytes : undefined;
  } catch {
    return undefined; // EIO: not mapped, or the process ended
  }
}
