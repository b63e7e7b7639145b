/** Streams of HTTP/2 as they were on the wire, by the headers of their frames alone: who asked for what, its client knows. */
import type { Segment } from './pcap.ts';

export interface CapturedStream {
  /** `address:port` */
  readonly client: string;
  /** From the first byte of the request's HEADERS to the last byte of the frame that ends the response. */
  readonly latencyNs: number;
}

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly begunNs: bigint;
  readonly endedNs: bigint;
}

// RFC 9113, sections 3.4, 4.1, 6.1 and 6.2.
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const END_STREAM = 1;
const HALF_OF_SEQUENCES = 0x8000_0000;

/**
 * Of connections that began within the capture, in the order in which they were asked. Throws where packets are missing or cut
 * short, and where a stream has no end, for then nothing is known of what is behind.
 */
export function streamsOf(segments: readonly Segment[], server: string): CapturedStream[] {
  const directions = new Map<string, FrameReader>();
  const begun = new Map<string, { readonly client: string; readonly begunNs: bigint; endedNs?: bigint }>();
  for (const segment of segments) {
    const isRequest = segment.to === server;
    const client = isRequest ? segment.from : segment.to;
    const reader =
      directions.get(segment.from + segment.to) ?? new FrameReader(isRequest ? PREFACE_BYTES : 0);
    directions.set(segment.from + segment.to, reader);
    for (const { type, flags, stream, begunNs, endedNs } of reader.add(segment)) {
      const id = `${client} ${stream}`;
      const known = begun.get(id);
      if (isRequest && type === HEADERS && !known) begun.set(id, { client, begunNs });
      const isEnd = (type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0;
      if (!isRequest && isEnd && known) known.endedNs = endedNs;
    }
  }
  return [...begun].map(([id, { client, begunNs, endedNs }]) => {
    if (endedNs === undefined) throw new Error(`no end of ${id} was captured`);
    return { client, latencyNs: Number(endedNs - begunNs) };
  });
}

/** One direction of a connection. */
class FrameReader {
  /** Bytes until the next frame's header. */
  #left: number;
  #header = Buffer.alloc(0);
  #open: Omit<Frame, 'endedNs'> | undefined;
  #begunNs = 0n;
  #next: number | undefined;

  constructor(bytesBefore: number) {
    this.#left = bytesBefore;
  }

  /** The frames that end in it. */
  add(segment: Segment): Frame[] {
    const frames: Frame[] = [];
    for (let bytes = this.#newOf(segment); ; ) {
      const passed = Math.min(this.#left, bytes.length);
      this.#left -= passed;
      bytes = bytes.subarray(passed);
      if (this.#left > 0) return frames;
      if (this.#open) frames.push({ ...this.#open, endedNs: segment.timeNs });
      this.#open = undefined;
      if (bytes.length === 0) return frames;
      bytes = this.#takeHeader(bytes, segment.timeNs);
    }
  }

  #takeHeader(bytes: Buffer, timeNs: bigint): Buffer {
    if (this.#header.length === 0) this.#begunNs = timeNs;
    const missing = FRAME_HEADER_BYTES - this.#header.length;
    const header = Buffer.concat([this.#header, bytes.subarray(0, missing)]);
    this.#header = header;
    if (header.length === FRAME_HEADER_BYTES) {
      const stream = header.readUInt32BE(5) & 0x7fff_ffff;
      this.#open = { type: header.readUInt8(3), flags: header.readUInt8(4), stream, begunNs: this.#begunNs };
      this.#left = header.readUIntBE(0, 3);
      this.#header = Buffer.alloc(0);
    }
    return bytes.subarray(missing);
  }

  /** Without what was captured before. */
  #newOf({ sequence, length, payload, from, to }: Segment): Buffer {
    if (payload.length < length) throw new Error(`a packet from ${from} was not captured whole`);
    const next = this.#next ?? sequence;
    const again = (next - sequence) >>> 0;
    if (again >= HALF_OF_SEQUENCES) throw new Error(`packets from ${from} to ${to} are missing`);
    if (again >= length) return Buffer.alloc(0);
    this.#next = (sequence + length) >>> 0;
    return payload.subarray(again);
  }
}
