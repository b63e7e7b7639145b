/** The kernel's functions, from /proc/kallsyms: 60 000, with 16 bytes each besides the names. */
import { fieldEnd, indexOfByte, parseHex } from './byte-fields.ts';
import { createLineSplitter } from './byte-lines.ts';
import { rangesByStart } from './disjoint-ranges.ts';
import type { NameStore } from './name-store.ts';
import { createRangeList, type RangeColumns, rangeAt } from './range-list.ts';

export interface KernelSymbols {
  readonly symbols: number;
  /** True when the kernel shows zeros for addresses (kernel.kptr_restrict, no CAP_SYSLOG): nothing can be named. */
  readonly hidden: boolean;
  /** `address` as kernelAddress gives it. The bytes of the name, or undefined. */
  nameAt(address: number): Uint8Array | undefined;
}

export interface KernelSymbolsParser {
  feed(chunk: Uint8Array): void;
  finish(): KernelSymbols;
}

const MAX_LINE_BYTES = 1024;
const MAX_SYMBOLS = 300_000; // a distribution kernel with everything loaded has about 200 000, data included
const MAX_FUNCTION_BYTES = 2 ** 20; // what lies further behind the last symbol before it is not of that symbol
const TEXT_TYPES = new Set([...'tTwW'].map((type) => type.charCodeAt(0)));
const ADDRESS_DIGITS = 16;
const TAB = 0x09;
/** Sixteen bytes of padding before each function on kernels with call thunks; half of all symbols. */
const PADDING = [...'__pfx_'].map((character) => character.charCodeAt(0));

/** Kernel addresses have 16 leading ones; without them they are exact as numbers. */
export function kernelAddress(high: number, low: number): number {
  return (high & 0xffff) * 2 ** 32 + low;
}

/** The names go to `names`, which has to last as long as the symbols. */
export function createKernelSymbolsParser(names: NameStore): KernelSymbolsParser {
  const ranges = createRangeList(MAX_SYMBOLS);
  let addressed = 0;
  let lineCount = 0;

  const line = (bytes: Uint8Array, start: number, end: number) => {
    lineCount++;
    const address = addressOf(bytes, start, end);
    if (!address) return;
    addressed++;
    const nameStart = start + ADDRESS_DIGITS + 3;
    if (!TEXT_TYPES.has(bytes[nameStart - 2] ?? 0) || isPadding(bytes, nameStart)) return;
    const nameEnd = indexOfByte(bytes, TAB, nameStart, end); // a module's name follows behind a tab
    const position = nameEnd > nameStart ? names.add(bytes, nameStart, nameEnd) : undefined;
    if (position !== undefined) ranges.add(address, MAX_FUNCTION_BYTES, position);
  };
  const lines = createLineSplitter(MAX_LINE_BYTES, { line, tooLong: () => undefined });

  return {
    feed: lines.feed,
    finish() {
      lines.finish();
      return kernelSymbols(rangesByStart(ranges.take()), names, lineCount > 0 && addressed === 0);
    },
  };
}

/** Apart from the parser, so that its memory is not kept. */
function kernelSymbols(sorted: RangeColumns, names: NameStore, hidden: boolean): KernelSymbols {
  return {
    symbols: sorted.length,
    hidden,
    nameAt(address) {
      const index = rangeAt(sorted, address);
      return index < 0 ? undefined : names.at(sorted.values[index] ?? 0);
    },
  };
}

/** Of "ffffffff81000000 T name": undefined for zero, for per-CPU offsets, and for what is no address. */
function addressOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (fieldEnd(bytes, start, end) - start !== ADDRESS_DIGITS) return undefined;
  const high = parseHex(bytes, start, start + ADDRESS_DIGITS / 2);
  const low = parseHex(bytes, start + ADDRESS_DIGITS / 2, start + ADDRESS_DIGITS);
  return high && low !== undefined && high >>> 16 === 0xffff ? kernelAddress(high, low) : undefined;
}

function isPadding(bytes: Uint8Array, nameStart: number): boolean {
  return PADDING.every((byte, i) => bytes[nameStart + i] === byte);
}
