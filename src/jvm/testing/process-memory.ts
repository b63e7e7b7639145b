/** For tests: the memory of a real process, and its libjvm. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { loadBias, readElf } from '../../symbols/elf.ts';
import { readExports } from '../../symbols/elf-symbols.ts';
import { createProcMapsParser } from '../../symbols/proc-maps.ts';
import { openFile, readFully } from '../../symbols/testing/open-file.ts';
import type { LoadedLibjvm } from '../hotspot.ts';
import type { ReadMemory } from '../read-memory.ts';
import { VM_TABLES_PREFIX } from '../vm-tables.ts';

export interface OpenMemory extends Disposable {
  readonly read: ReadMemory;
}

export function openMemory(pid: number): OpenMemory {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  return {
    read: (address, length) => readFully(fd, address, length),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Undefined while the process has not loaded it. */
export function loadedLibjvm(pid: number): LoadedLibjvm | undefined {
  const parser = createProcMapsParser((bytes) => Buffer.from(bytes).toString());
  parser.feed(readFileSync(`/proc/${pid}/maps`));
  const { libjvm } = parser.finish();
  if (!libjvm) return undefined;
  using file = openFile(libjvm.path);
  const elf = readElf(file.read);
  const exports = elf && readExports(elf, file.read, VM_TABLES_PREFIX);
  const bias = elf && loadBias(elf, BigInt(libjvm.address), BigInt(libjvm.fileOffset));
  assert(exports && bias !== undefined, `${libjvm.path} is no library with exports`);
  return { exports, bias };
}
