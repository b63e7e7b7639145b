/**
 * For tests: files of recorded stacks (native/testing/stack_recording.h says what they consist of), compressed. Large parts of
 * memory are tables of two ascending columns of 32 bits, by which code is found: as differences they take half the room.
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

const PIECE_KINDS = { name: 1, maps: 2, layout: 3, heap: 4, memory: 5, unreadable: 6, record: 7 } as const;
export type PieceKind = keyof typeof PIECE_KINDS;

export interface Piece {
  readonly kind: PieceKind;
  readonly content: Uint8Array;
}

const HEADER_BYTES = 8;
const ADDRESS_BYTES = 8;
const COLUMNS_BYTES = 8;
const MIN_TABLE_BYTES = 16 << 10;
const DIFFERENCES = 0x100;
const COMPRESSION = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  },
};

export function piecesOf(stream: Uint8Array): Piece[] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const kinds = Object.keys(PIECE_KINDS) as PieceKind[];
  const pieces: Piece[] = [];
  for (let at = 0; at < stream.length; ) {
    const number = view.getUint32(at, true);
    const end = at + HEADER_BYTES + view.getUint32(at + 4, true);
    const content = stream.subarray(at + HEADER_BYTES, end);
    const kind = kinds.find((each) => PIECE_KINDS[each] === (number & ~DIFFERENCES));
    if (kind === undefined || end > stream.length) throw new Error('no recording of stacks');
    pieces.push({ kind, content: number & DIFFERENCES ? sums(content) : content });
    at = end;
  }
  return pieces;
}

export function compressRecording(pieces: readonly Piece[]): Buffer {
  const stream = pieces.map(({ kind, content }) =>
    kind === 'memory' && content.length >= MIN_TABLE_BYTES
      ? bytesOf(PIECE_KINDS[kind] | DIFFERENCES, differences(content))
      : bytesOf(PIECE_KINDS[kind], content),
  );
  return brotliCompressSync(Buffer.concat(stream), COMPRESSION);
}

/** As replay-stacks and fuzz-stacks read it. */
export function readRecording(path: string): readonly Piece[] {
  return piecesOf(brotliDecompressSync(readFileSync(path)));
}

export function streamOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map(({ kind, content }) => bytesOf(PIECE_KINDS[kind], content)));
}

function bytesOf(kind: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(kind, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function differences(content: Uint8Array): Uint8Array {
  return overColumns(content, (value, original) => value - original);
}

function sums(content: Uint8Array): Uint8Array {
  return overColumns(content, (value, _, result) => value + result);
}

/** Each number becomes one of itself and of the number a row before, as it was and as it became. */
function overColumns(
  content: Uint8Array,
  combine: (value: number, before: number, resultBefore: number) => number,
): Uint8Array {
  const from = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const result = Uint8Array.from(content);
  const into = new DataView(result.buffer);
  for (let at = ADDRESS_BYTES + COLUMNS_BYTES; at + 4 <= content.length; at += 4) {
    const before = at - COLUMNS_BYTES;
    const value = combine(from.getInt32(at, true), from.getInt32(before, true), into.getInt32(before, true));
    into.setInt32(at, value | 0, true);
  }
  return result;
}
