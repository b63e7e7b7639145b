/**
 * For tests: the memory that a program read of a JVM, kept in a file and read again without the JVM. The file is
 * compressed: a line of JSON, then the bytes of its ranges one after the other.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import type { LoadedLibjvm } from '../hotspot.ts';
import type { ReadMemory } from '../read-memory.ts';

export interface Recorder {
  /** Reads, and remembers what came. */
  readonly read: ReadMemory;
  save(path: string, libjvm: LoadedLibjvm): void;
}

export interface Recording {
  readonly read: ReadMemory;
  readonly libjvm: LoadedLibjvm;
}

interface Range {
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

interface Header {
  readonly bias: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly ranges: readonly (readonly [start: string, length: number])[];
}

const HEX = 16;
const MAX_QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

export function createRecorder(read: ReadMemory): Recorder {
  const seen: Range[] = [];
  return {
    read(address, length) {
      const bytes = read(address, length);
      if (bytes) seen.push({ start: address, bytes });
      return bytes;
    },
    save(path, libjvm) {
      const ranges = merged(seen);
      const header: Header = {
        bias: libjvm.bias.toString(HEX),
        exports: Object.fromEntries(
          [...libjvm.exports].map(([name, address]) => [name, address.toString(HEX)]),
        ),
        ranges: ranges.map(({ start, bytes }) => [start.toString(HEX), bytes.length]),
      };
      const content = [Buffer.from(`${JSON.stringify(header)}\n`), ...ranges.map(({ bytes }) => bytes)];
      writeFileSync(path, brotliCompressSync(Buffer.concat(content), MAX_QUALITY));
    },
  };
}

export function openRecording(path: string): Recording {
  const content = brotliDecompressSync(readFileSync(path));
  const headerEnd = content.indexOf('\n');
  const header = JSON.parse(content.toString('utf8', 0, headerEnd)) as Header;
  let at = headerEnd + 1;
  const ranges = header.ranges.map(([start, length]): Range => {
    at += length;
    return { start: BigInt(`0x${start}`), bytes: content.subarray(at - length, at) };
  });
  const exports = Object.entries(header.exports).map(
    ([name, value]) => [name, BigInt(`0x${value}`)] as const,
  );
  return {
    read: (address, length) => readRanges(ranges, address, length),
    libjvm: { exports: new Map(exports), bias: BigInt(`0x${header.bias}`) },
  };
}

/** Sorted, without overlaps. Where a place was read twice, what came first counts. */
function merged(seen: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of seen.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))) {
    const last = result.at(-1);
    const end = last ? last.start + BigInt(last.bytes.length) : -1n;
    if (!last || range.start > end) {
      result.push(range);
      continue;
    }
    const more = range.bytes.subarray(Number(end - range.start));
    if (end - range.start < BigInt(range.bytes.length)) {
      result[result.length - 1] = { start: last.start, bytes: Buffer.concat([last.bytes, more]) };
    }
  }
  return result;
}

/** As from a process: all of it, or undefined. Bytes come from one range, since neighbours were merged. */
function readRanges(ranges: readonly Range[], address: bigint, length: number): Uint8Array | undefined {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.start ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  const range = ranges[low - 1];
  const offset = range && address - range.start;
  if (offset === undefined || offset + BigInt(length) > BigInt(range?.bytes.length ?? 0)) return undefined;
  return range?.bytes.subarray(Number(offset), Number(offset) + length);
}
