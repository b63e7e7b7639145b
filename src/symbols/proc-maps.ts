/** What lies where in a process: the executable regions of /proc/PID/maps. Paths in it are the container's choice. */
import { fieldEnd, indexOfByte, parseHex } from './byte-fields.ts';
import { createLineSplitter } from './byte-lines.ts';
import { cleanName } from './clean-name.ts';
import { createRangeList, type RangeColumns, rangeAt } from './range-list.ts';

export type Region =
  | FileRegion
  /** Executable memory of no file: code that the process made itself. */
  | { readonly kind: 'anonymous' };

export interface FileRegion {
  readonly kind: 'file';
  /** In brackets: "[libc.so.6]". */
  readonly name: string;
  readonly mapped: MappedFile;
}

export interface ProcMaps {
  /** The executable region that holds the address. */
  regionAt(address: number): Region | undefined;
  /** Undefined if the process has none. */
  readonly libjvm: MappedFile | undefined;
  /** Executable regions for which there was no room. */
  readonly dropped: number;
}

/** Where code of a file is: what loadBias of elf.ts takes. */
export interface MappedFile {
  /** Inside the process's root. */
  readonly path: string;
  readonly address: number;
  readonly fileOffset: number;
}

export interface ProcMapsParser {
  feed(chunk: Uint8Array): void;
  finish(): ProcMaps;
}

const MAX_LINE_BYTES = 8 * 1024; // a path has at most 4096, and the kernel escapes only newlines
const MAX_REGIONS = 8192; // a JVM with two hundred libraries has about 210 executable regions
const MAX_REGION_BYTES = 2 ** 32 - 1; // a code cache has at most 2 GB
const MAX_FILE_NAME = 128;
const ANONYMOUS: Region = { kind: 'anonymous' };
const DASH = 0x2d;
const SPACE = 0x20;
const EXECUTABLE = 0x78; // x
const ANONYMOUS_PATH = /^$|^\[(?!vdso\]|vsyscall\])|^\/(?:memfd:|dev\/zero|anon_hugepage|SYSV|\/anon)/;

/** `decode` makes a string of bytes (UTF-8); rooms without I/O have no decoder of their own. */
export function createProcMapsParser(decode: (bytes: Uint8Array) => string): ProcMapsParser {
  const regions: Region[] = [ANONYMOUS];
  const ranges = createRangeList(MAX_REGIONS);
  let libjvm: MappedFile | undefined;
  let dropped = 0;

  const line = (bytes: Uint8Array, start: number, end: number) => {
    const fields = executableRange(bytes, start, end);
    if (!fields) return;
    const path = decode(bytes.subarray(pathStart(bytes, start, end), end));
    if (path.endsWith('/libjvm.so')) libjvm ??= { path, address: fields.from, fileOffset: fields.fileOffset };
    if (!ranges.add(fields.from, fields.size, ANONYMOUS_PATH.test(path) ? 0 : regions.length)) dropped++;
    else if (!ANONYMOUS_PATH.test(path)) regions.push(fileRegion(path, fields));
  };
  const lines = createLineSplitter(MAX_LINE_BYTES, { line, tooLong: () => dropped++ });

  return {
    feed: lines.feed,
    finish() {
      lines.finish();
      return procMaps(ranges.take(), regions, { libjvm, dropped }); // the kernel prints them in order
    },
  };
}

/** Apart from the parser, so that its memory is not kept. */
function procMaps(
  ranges: RangeColumns,
  regions: readonly Region[],
  facts: Pick<ProcMaps, 'libjvm' | 'dropped'>,
): ProcMaps {
  return {
    ...facts,
    regionAt(address) {
      const index = rangeAt(ranges, address);
      return index < 0 ? undefined : regions[ranges.values[index] ?? 0];
    },
  };
}

/** Of "7f00-7fff r-xp 1000 ...". vsyscall, above 52 bits, is left out. */
function executableRange(
  bytes: Uint8Array,
  start: number,
  end: number,
): { from: number; size: number; fileOffset: number } | undefined {
  const rangeEnd = fieldEnd(bytes, start, end);
  const dash = indexOfByte(bytes, DASH, start, rangeEnd);
  if (bytes[rangeEnd + 3] !== EXECUTABLE || rangeEnd + 3 >= end || dash === rangeEnd) return undefined;
  const from = parseHex(bytes, start, dash);
  const to = parseHex(bytes, dash + 1, rangeEnd);
  if (from === undefined || to === undefined || to <= from) return undefined;
  const offset = fieldEnd(bytes, rangeEnd + 1, end) + 1;
  const fileOffset = parseHex(bytes, offset, fieldEnd(bytes, offset, end)) ?? 0;
  return { from, size: Math.min(to - from, MAX_REGION_BYTES), fileOffset };
}

/** Behind five fields (range, permissions, offset, device, inode) and the spaces that align. */
function pathStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let field = 0; field < 5; field++) at = Math.min(end, fieldEnd(bytes, at, end) + 1);
  while (at < end && bytes[at] === SPACE) at++;
  return at;
}

function fileRegion(path: string, { from, fileOffset }: { from: number; fileOffset: number }): FileRegion {
  return { kind: 'file', name: bracketed(path), mapped: { path, address: from, fileOffset } };
}

function bracketed(path: string): string {
  if (path === '[vdso]' || path === '[vsyscall]') return path;
  const file = path.replace(/ \(deleted\)$/, '');
  const base = file.slice(file.lastIndexOf('/') + 1).slice(0, MAX_FILE_NAME);
  return `[${cleanName(base) || 'file'}]`;
}
