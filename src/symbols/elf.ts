/** The headers of an ELF64 file (System V gABI, "Object Files"): what is mapped where, and which build it is. */
import { type Fields, littleEndian } from './little-endian.ts';

/** Reads a file: exactly `length` bytes, or undefined when the file does not have them. */
export type ReadFileBytes = (offset: number, length: number) => Uint8Array | undefined;

export interface Elf {
  /** Parts of the file that are mapped. */
  readonly segments: readonly Segment[];
  /** Empty if they were stripped. */
  readonly sections: readonly Section[];
  /** Lower-case hexadecimal; undefined if the linker left none. */
  readonly buildId: string | undefined;
}

export interface Segment {
  readonly fileOffset: bigint;
  readonly fileSize: bigint;
  readonly address: bigint;
  readonly memorySize: bigint;
  readonly isWritable: boolean;
}

export interface Section {
  readonly type: number;
  readonly fileOffset: number;
  readonly size: number;
  /** Index of the section that belongs to it: the strings of a symbol table. */
  readonly link: number;
}

interface TableShape {
  readonly fileOffset: number;
  readonly entryBytes: number;
  readonly count: number;
  readonly maxCount: number;
}

const HEADER_BYTES = 64;
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1]; // "\x7fELF", 64 bits, little-endian
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const MAX_PROGRAM_HEADERS = 128; // libjvm has 11
const MAX_SECTION_HEADERS = 1024; // libjvm with debug information has 45
const MAX_NOTE_BYTES = 64 * 1024;
const MAX_NOTES = 64; // libc has 3 in a segment
const MAX_BUILD_ID_BYTES = 64; // SHA-1 has 20
const MIN_PAGE_BYTES = 4096n;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_W = 2;
const NT_GNU_BUILD_ID = 3;
const GNU = 0x00_55_4e_47; // "GNU\0"

/** Undefined when the file is no little-endian ELF64, or its program headers are cut or absurd. */
export function readElf(read: ReadFileBytes): Elf | undefined {
  const bytes = read(0, HEADER_BYTES);
  if (!bytes || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined;
  const header = littleEndian(bytes);
  const programs = readTable(read, {
    fileOffset: Number(header.u64(32)),
    entryBytes: PROGRAM_HEADER_BYTES,
    count: header.u16(54) === PROGRAM_HEADER_BYTES ? header.u16(56) : 0,
    maxCount: MAX_PROGRAM_HEADERS,
  });
  const sections = readTable(read, {
    fileOffset: Number(header.u64(40)),
    entryBytes: SECTION_HEADER_BYTES,
    count: header.u16(58) === SECTION_HEADER_BYTES ? header.u16(60) : 0,
    maxCount: MAX_SECTION_HEADERS,
  });
  if (programs.length === 0) return undefined;
  return {
    segments: programs.filter((each) => each.u32(0) === PT_LOAD).map(segmentOf),
    sections: sections.map(sectionOf),
    buildId: readBuildId(
      read,
      programs.filter((each) => each.u32(0) === PT_NOTE),
    ),
  };
}

/**
 * What to add to an address of the file to have the address in a process that maps the file's byte `fileOffset` at
 * `address`. Undefined when no segment holds that byte.
 */
export function loadBias(elf: Elf, address: bigint, fileOffset: bigint): bigint | undefined {
  // a mapping begins with the page, its segment somewhere in that page; two segments can share one, the later is mapped there
  const segment = elf.segments.findLast(
    (each) =>
      each.fileOffset - (each.fileOffset % MIN_PAGE_BYTES) <= fileOffset &&
      fileOffset < each.fileOffset + each.fileSize,
  );
  return segment && address - (fileOffset - segment.fileOffset + segment.address);
}

/** Whether an address of the file lies in data that a process may write. */
export function isWritableData(elf: Elf, address: bigint): boolean {
  return elf.segments.some(
    (each) => each.isWritable && each.address <= address && address < each.address + each.memorySize,
  );
}

/** Empty when the table is cut, or longer than a real one. */
function readTable(read: ReadFileBytes, { fileOffset, entryBytes, count, maxCount }: TableShape): Fields[] {
  if (count > maxCount || !Number.isSafeInteger(fileOffset)) return [];
  const bytes = read(fileOffset, count * entryBytes);
  if (!bytes) return [];
  return Array.from({ length: count }, (_, i) =>
    littleEndian(bytes.subarray(i * entryBytes, (i + 1) * entryBytes)),
  );
}

function segmentOf(header: Fields): Segment {
  return {
    fileOffset: header.u64(8),
    address: header.u64(16),
    fileSize: header.u64(32),
    memorySize: header.u64(40),
    isWritable: (header.u32(4) & PF_W) !== 0,
  };
}

function sectionOf(header: Fields): Section {
  return {
    type: header.u32(4),
    fileOffset: Number(header.u64(24)),
    size: Number(header.u64(32)),
    link: header.u32(40),
  };
}

function readBuildId(read: ReadFileBytes, noteHeaders: readonly Fields[]): string | undefined {
  for (const header of noteHeaders) {
    const size = Number(header.u64(32));
    const bytes = size <= MAX_NOTE_BYTES ? read(Number(header.u64(8)), size) : undefined;
    const buildId = bytes && buildIdIn(bytes);
    if (buildId !== undefined) return buildId;
  }
  return undefined;
}

/** A note is: length of its name, of its content, type; then both, each filled up to four bytes. */
function buildIdIn(notes: Uint8Array): string | undefined {
  const at = littleEndian(notes);
  let offset = 0;
  for (let i = 0; i < MAX_NOTES && offset + 16 <= notes.length; i++) {
    const [nameBytes, contentBytes] = [at.u32(offset), at.u32(offset + 4)];
    const content = offset + 12 + filledUp(nameBytes);
    const end = content + filledUp(contentBytes);
    const isBuildId =
      at.u32(offset + 8) === NT_GNU_BUILD_ID && nameBytes === 4 && at.u32(offset + 12) === GNU;
    if (end > notes.length) return undefined;
    if (isBuildId && contentBytes <= MAX_BUILD_ID_BYTES) {
      return hexadecimal(notes.subarray(content, content + contentBytes));
    }
    offset = end;
  }
  return undefined;
}

function filledUp(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
