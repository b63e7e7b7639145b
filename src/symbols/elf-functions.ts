/** The functions of an ELF64 file: from .symtab where it was left in, else from what the file exports. */
import { rangesByStart } from './disjoint-ranges.ts';
import type { Elf, ReadFileBytes, Section } from './elf.ts';
import { littleEndian } from './little-endian.ts';
import { createRangeList, rangeAt } from './range-list.ts';

export interface ElfFunctions {
  readonly count: number;
  /** Name of the function at an address of the file (without the load bias), as the linker has it; read from the file anew. */
  nameAt(address: number): string | undefined;
}

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const [STT_FUNC, STT_GNU_IFUNC] = [2, 10];
const SYMBOL_BYTES = 24;
const MAX_FUNCTIONS = 200_000; // libjvm has 57 000; 16 bytes each
const PIECE_BYTES = 2048 * SYMBOL_BYTES; // a table of 1.6 MB is never held whole
const MAX_ASSEMBLY_BYTES = 4096; // of functions written by hand, which may say no size
const MAX_NAME_BYTES = 1024; // templates of C++ may have longer ones, which are cut
const MIN_NAME_BYTES = 64;

/** Undefined when the file has no symbols. Keeps 16 bytes a function; names stay in the file, so `read` has to last. */
export function readElfFunctions(elf: Elf, read: ReadFileBytes): ElfFunctions | undefined {
  const table = [SHT_SYMTAB, SHT_DYNSYM]
    .map((wanted) => elf.sections.find(({ type }) => type === wanted))
    .find((section) => section !== undefined);
  const strings = table && elf.sections[table.link];
  if (!strings) return undefined;
  const list = createRangeList(MAX_FUNCTIONS);
  for (const symbol of symbolsOf(table, read)) list.add(symbol.address, symbol.size, symbol.name);
  const functions = rangesByStart(list.take());
  return {
    count: functions.length,
    nameAt(address) {
      const index = rangeAt(functions, address);
      return index < 0 ? undefined : readName(strings, functions.values[index] ?? 0, read);
    },
  };
}

function* symbolsOf(
  { fileOffset, size }: Section,
  read: ReadFileBytes,
): Generator<{ address: number; size: number; name: number }> {
  for (let at = 0; at < size; at += PIECE_BYTES) {
    const piece = read(fileOffset + at, Math.min(PIECE_BYTES, size - at));
    if (!piece) return;
    const symbols = littleEndian(piece);
    for (let entry = 0; entry + SYMBOL_BYTES <= piece.length; entry += SYMBOL_BYTES) {
      const type = symbols.u8(entry + 4) & 0xf;
      const address = Number(symbols.u64(entry + 8));
      const isFunction = type === STT_FUNC || type === STT_GNU_IFUNC;
      if (!isFunction || address === 0 || !Number.isSafeInteger(address)) continue;
      const bytes = Math.min(Number(symbols.u64(entry + 16)), 2 ** 32 - 1) || MAX_ASSEMBLY_BYTES;
      yield { address, size: bytes, name: symbols.u32(entry) };
    }
  }
}

/** The section ends somewhere behind the name: less and less is asked for until the file has it. */
function readName(strings: Section, at: number, read: ReadFileBytes): string | undefined {
  const left = strings.size - at;
  for (let length = MIN_NAME_BYTES; length <= MAX_NAME_BYTES; length *= 2) {
    const bytes = left > 0 ? read(strings.fileOffset + at, Math.min(length, left)) : undefined;
    if (!bytes) return undefined;
    const nul = bytes.indexOf(0);
    if (nul >= 0 || length === MAX_NAME_BYTES) {
      return String.fromCharCode(...bytes.subarray(0, nul < 0 ? length : nul)) || undefined;
    }
  }
  return undefined;
}
