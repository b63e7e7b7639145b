/** The symbols that an ELF64 file exports: .dynsym, which survives `strip`. */
import type { Elf, ReadFileBytes, Section } from './elf.ts';
import { littleEndian } from './little-endian.ts';

const SHT_DYNSYM = 11;
const SHN_UNDEF = 0;
const SYMBOL_BYTES = 24;
const MAX_SYMBOLS = 100_000; // libjvm exports 500, libc 3000, a large C++ library 60 000
const MAX_STRING_BYTES = 16 * 1024 * 1024;
const MAX_NAME_BYTES = 1024;

/**
 * Names and addresses (of the file: add the load bias) of the exported symbols that begin with `prefix`; without the
 * versions a linker appends. Undefined when the file has no .dynsym, or it is cut.
 */
export function readExports(elf: Elf, read: ReadFileBytes, prefix: string): Map<string, bigint> | undefined {
  const table = elf.sections.find(({ type }) => type === SHT_DYNSYM);
  const strings = table && elf.sections[table.link];
  const entries = table && readSection(read, table, MAX_SYMBOLS * SYMBOL_BYTES);
  const text = strings && readSection(read, strings, MAX_STRING_BYTES);
  if (!entries || !text) return undefined;
  const start = Uint8Array.from(prefix, (character) => character.charCodeAt(0));
  const found = new Map<string, bigint>();
  const at = littleEndian(entries);
  for (let entry = 0; entry + SYMBOL_BYTES <= entries.length; entry += SYMBOL_BYTES) {
    const name = at.u32(entry);
    if (at.u16(entry + 6) === SHN_UNDEF || !start.every((byte, i) => text[name + i] === byte)) continue;
    found.set(stringAt(text, name), at.u64(entry + 8));
  }
  return found;
}

function readSection(
  read: ReadFileBytes,
  { fileOffset, size }: Section,
  maxBytes: number,
): Uint8Array | undefined {
  return Number.isSafeInteger(fileOffset) && size <= maxBytes ? read(fileOffset, size) : undefined;
}

/** Up to its NUL; names of symbols are ASCII. */
function stringAt(text: Uint8Array, start: number): string {
  const piece = text.subarray(start, start + MAX_NAME_BYTES);
  const nul = piece.indexOf(0);
  return String.fromCharCode(...piece.subarray(0, nul < 0 ? piece.length : nul));
}
