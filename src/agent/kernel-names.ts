import { createKernelSymbolsParser, type KernelSymbols } from '../symbols/kallsyms.ts';
import { readChunks } from './bounded-read.ts';
import type { NameStores } from './file-name-store.ts';

const MAX_KALLSYMS_BYTES = 64 * 1024 * 1024; // 200 000 symbols of 50 bytes are 10 MB

/** The kernel's functions; undefined if the kernel has none to read. */
export function readKernelSymbols(procRoot: string, stores: NameStores): KernelSymbols | undefined {
  const parser = createKernelSymbolsParser(stores.open());
  return readChunks(`${procRoot}/kallsyms`, MAX_KALLSYMS_BYTES, parser.feed) ? parser.finish() : undefined;
}
