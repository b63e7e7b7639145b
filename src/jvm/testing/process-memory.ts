/** For tests: the memory of a real process, and its libjvm. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { loadBias, readElf } from '../../symbols/elf.ts';
import { readExports } from '../../symbols/elf-symbols.ts';
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

/** Of a process that has loaded it. */
export function loadedLibjvm(pid: number): LoadedLibjvm {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  const mapped = /^([0-9a-f]+)-\S+ \S+ ([0-9a-f]+) \S+ \d+ +(\S+\/libjvm\.so)$/m.exec(maps);
  assert(mapped, `process ${pid} has no libjvm`);
  const [, address = '', offset = '', path = ''] = mapped;
  using file = openFile(path);
  const elf = readElf(file.read);
  const exports = elf && readExports(elf, file.read, VM_TABLES_PREFIX);
  const bias = elf && loadBias(elf, BigInt(`0x${address}`), BigInt(`0x${offset}`));
  assert(exports && bias !== undefined, `${path} is no library with exports`);
  return { exports, bias };
}
