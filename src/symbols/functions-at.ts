/** Which functions of an ELF64 file hold some addresses: one pass over its symbols, of which nothing is kept. */
import type { Elf, ReadFileBytes, Section } from './elf.ts';

/** Addresses of the file, without the load bias: from `start` to before `end` all are of this function, or of none. */
export interface FunctionRange {
  readonly start: number;
  readonly end: number;
  /** As the linker has it; undefined between functions, where what was here has no symbol. */
  readonly symbol: string | undefined;
}

const [SHT_SYMTAB, SHT_DYNSYM] = [2, 11];
const [STT_FUNC, STT_GNU_IFUNC] = [2, 10];
const SYMBOL_BYTES = 24;
const PIECE_SYMBOLS = 2048;
const MAX_SYMBOLS = 400_000; // libjvm has 95 000, 70 000 of them functions
const MAX_ASSEMBLY_BYTES = 4096; // of functions written by hand, which may say no size
const NAME_BYTES = 256; // what templates of C++ have beyond is cut

/** Of the functions between one wanted address and the next, the first and the last. */
interface Bucket {
  firstStart: number;
  lastStart: number;
  lastSize: number;
  lastName: number;
}

/** One range for each of the addresses, in their order; empty when the file has no symbols. From .symtab where that was left in. */
export function functionsAt(elf: Elf, read: ReadFileBytes, addresses: readonly number[]): FunctionRange[] {
  const table = [SHT_SYMTAB, SHT_DYNSYM]
    .map((wanted) => elf.sections.find(({ type }) => type === wanted))
    .find((section) => section !== undefined);
  const strings = table && elf.sections[table.link];
  if (!strings) return [];
  const sorted = Float64Array.from(addresses).sort();
  const places = surroundings(fillBuckets(table, read, sorted));
  return addresses.map((address) =>
    rangeOf(address, places[lowerBound(sorted, address)], (at) => readName(strings, at, read)),
  );
}

function fillBuckets(
  { fileOffset, size }: Section,
  read: ReadFileBytes,
  sorted: Float64Array,
): (Bucket | undefined)[] {
  const buckets = new Array<Bucket | undefined>(sorted.length + 1).fill(undefined);
  const count = Math.min(MAX_SYMBOLS, Math.floor(size / SYMBOL_BYTES));
  for (let at = 0; at < count; at += PIECE_SYMBOLS) {
    const piece = read(fileOffset + at * SYMBOL_BYTES, Math.min(PIECE_SYMBOLS, count - at) * SYMBOL_BYTES);
    if (!piece) break;
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let entry = 0; entry + SYMBOL_BYTES <= piece.length; entry += SYMBOL_BYTES) {
      const type = view.getUint8(entry + 4) & 0xf;
      if (type === STT_FUNC || type === STT_GNU_IFUNC) addSymbol(buckets, sorted, view, entry);
    }
  }
  return buckets;
}

function addSymbol(
  buckets: (Bucket | undefined)[],
  sorted: Float64Array,
  view: DataView,
  entry: number,
): void {
  const start = view.getUint32(entry + 8, true) + view.getUint32(entry + 12, true) * 2 ** 32;
  if (start === 0) return; // not defined in this file
  const size = view.getUint32(entry + 20, true) > 0 ? 2 ** 32 - 1 : view.getUint32(entry + 16, true);
  const index = lowerBound(sorted, start);
  const bucket = buckets[index];
  const isLast = bucket === undefined || start > bucket.lastStart;
  if (!isLast && start >= bucket.firstStart && size <= bucket.lastSize) return;
  const last = { lastStart: start, lastSize: size, lastName: view.getUint32(entry, true) };
  if (bucket === undefined) buckets[index] = { firstStart: start, ...last };
  else {
    bucket.firstStart = Math.min(bucket.firstStart, start);
    if (isLast || (start === bucket.lastStart && size > bucket.lastSize)) Object.assign(bucket, last);
  }
}

/** Of each bucket: the last one up to it that has functions, and where those behind it begin. */
interface Place {
  readonly before: Bucket | undefined;
  readonly next: number;
}

function surroundings(buckets: readonly (Bucket | undefined)[]): readonly Place[] {
  let next = Number.MAX_SAFE_INTEGER;
  const nexts = buckets.toReversed().map((bucket) => {
    const behind = next;
    next = bucket?.firstStart ?? next;
    return behind;
  });
  nexts.reverse();
  let before: Bucket | undefined;
  return buckets.map((bucket, i) => {
    before = bucket ?? before;
    return { before, next: nexts[i] ?? Number.MAX_SAFE_INTEGER };
  });
}

function rangeOf(
  address: number,
  place: Place | undefined,
  nameAt: (at: number) => string | undefined,
): FunctionRange {
  const { before, next = Number.MAX_SAFE_INTEGER } = place ?? {};
  if (before === undefined) return { start: 0, end: next, symbol: undefined };
  const end = Math.min(next, before.lastStart + (before.lastSize || MAX_ASSEMBLY_BYTES));
  if (address < end) return { start: before.lastStart, end, symbol: nameAt(before.lastName) };
  return { start: end, end: next, symbol: undefined };
}

/** Index of the first that is not less. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function readName(strings: Section, at: number, read: ReadFileBytes): string | undefined {
  const bytes = read(strings.fileOffset + at, Math.min(NAME_BYTES, strings.size - at));
  if (!bytes) return undefined;
  const nul = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, nul < 0 ? bytes.length : nul)) || undefined;
}
