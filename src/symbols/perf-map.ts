/**
 * The names of a JVM's compiled code, from a perf map: lines "address size name", as `jcmd Compiler.perfmap` (with 0x
 * and signature) and perf-map-agent (without) write them. The file lies in a container, so its content is hostile.
 */
import { fieldEnd, indexOfByte, parseHex } from './byte-fields.ts';
import { createLineSplitter } from './byte-lines.ts';
import { disjointRanges } from './disjoint-ranges.ts';
import type { NameStore } from './name-store.ts';
import { createRangeList, type RangeColumns, rangeAt } from './range-list.ts';

export interface PerfMap {
  readonly entries: number;
  /** Lines that are no entry. */
  readonly garbageLines: number;
  /** Entries for which there was no room. */
  readonly dropped: number;
  /** Whether an entry holds the address. */
  holds(address: number): boolean;
  /** The name as written, its argument list emptied; undefined if no entry holds the address. */
  nameAt(address: number): Uint8Array | undefined;
  /** Closes its name store. */
  close(): void;
}

export interface PerfMapParser {
  feed(chunk: Uint8Array): void;
  finish(): PerfMap;
}

const MAX_LINE_BYTES = 16 * 1024; // a signature with 255 arguments of 60 characters
const MAX_ENTRIES = 200_000; // a full code cache of 240 MB holds about 100 000 methods
const MAX_CODE_BYTES = 2 ** 30; // half of the largest code cache, as one piece
const OPEN_PARENTHESIS = 0x28;
const SPACE = 0x20;

/** The names go to `names`, which belongs to the map from now on. */
export function createPerfMapParser(names: NameStore): PerfMapParser {
  const ranges = createRangeList(MAX_ENTRIES);
  let garbageLines = 0;
  let dropped = 0;

  const addEntry = (bytes: Uint8Array, start: number, end: number) => {
    const addressEnd = fieldEnd(bytes, start, end);
    const sizeEnd = fieldEnd(bytes, addressEnd + 1, end);
    const address = parseHex(bytes, start, addressEnd);
    const size = parseHex(bytes, addressEnd + 1, sizeEnd);
    const wrong = !address || !size || size > MAX_CODE_BYTES || sizeEnd + 1 >= end;
    if (wrong) garbageLines++;
    else if (!addNamed(address, size, nameOf(bytes, sizeEnd + 1, end))) dropped++;
  };
  const addNamed = (address: number, size: number, name: Uint8Array): boolean => {
    const position = ranges.length < MAX_ENTRIES ? names.add(name, 0, name.length) : undefined;
    return position !== undefined && ranges.add(address, size, position);
  };
  const lines = createLineSplitter(MAX_LINE_BYTES, { line: addEntry, tooLong: () => garbageLines++ });

  return {
    feed: lines.feed,
    finish() {
      lines.finish();
      const counts = { entries: ranges.length, garbageLines, dropped };
      return perfMap(disjointRanges(ranges.take()), names, counts);
    },
  };
}

/** Apart from the parser, so that its memory is not kept. */
function perfMap(
  ranges: RangeColumns,
  names: NameStore,
  counts: Pick<PerfMap, 'entries' | 'garbageLines' | 'dropped'>,
): PerfMap {
  return {
    ...counts,
    holds: (address) => rangeAt(ranges, address) >= 0,
    nameAt(address) {
      const index = rangeAt(ranges, address);
      return index < 0 ? undefined : names.at(ranges.values[index] ?? 0);
    },
    close: names.close,
  };
}

/** Up to the argument list, which is half of the bytes and never shown; "StubRoutines (1)" has none. */
function nameOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const open = indexOfByte(bytes, OPEN_PARENTHESIS, start, end);
  const hasArguments = open > start && open < end && bytes[open - 1] !== SPACE;
  return bytes.subarray(start, hasArguments ? open + 1 : end);
}
