/** Reads many small pieces of memory in few reads: pieces that lie near each other come together. */
import type { ReadMemory } from './read-memory.ts';

export interface ScatteredMemory {
  /** The memory from `address` on, as far as it was read; undefined where it was not. */
  from(address: bigint): Uint8Array | undefined;
}

const MAX_GAP_BYTES = 32n * 1024n; // to copy 32 KB too much costs about as much as one read more
const MAX_BYTES = 4 * 1024 * 1024; // in all; all strings of libjvm lie within 1 MB
const MAX_SPANS = 64; // longest seen: 5; what is scattered more widely is no table of a JVM
const PAGE_BYTES = 4096n;

/** `pieceBytes` from each address on; the last piece of a mapping may be shorter. */
export function readScattered(
  read: ReadMemory,
  addresses: readonly bigint[],
  pieceBytes: number,
): ScatteredMemory {
  const spans: Span[] = [];
  let left = MAX_BYTES;
  for (const [start, last] of neighbourhoods(addresses)) {
    const end = last + BigInt(pieceBytes);
    left -= Number(end - start);
    if (left < 0) break;
    const bytes = readToEnd(read, start, end);
    if (bytes) spans.push({ start, bytes });
  }
  return {
    from(address) {
      const span = spans.find(
        ({ start, bytes }) => start <= address && address < start + BigInt(bytes.length),
      );
      return span?.bytes.subarray(Number(address - span.start));
    },
  };
}

interface Span {
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

/** First and last address of each group. */
function neighbourhoods(addresses: readonly bigint[]): [bigint, bigint][] {
  const groups: [bigint, bigint][] = [];
  for (const address of addresses.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))) {
    const group = groups.at(-1);
    if (group && address - group[1] <= MAX_GAP_BYTES) group[1] = address;
    else if (groups.length < MAX_SPANS) groups.push([address, address]);
    else break;
  }
  return groups;
}

/** A piece may reach past the end of its mapping: then only the page it begins in is sure to be there. */
function readToEnd(read: ReadMemory, start: bigint, end: bigint): Uint8Array | undefined {
  const sure = end - (end % PAGE_BYTES);
  return read(start, Number(end - start)) ?? (sure > start ? read(start, Number(sure - start)) : undefined);
}
