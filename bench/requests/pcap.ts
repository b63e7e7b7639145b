/** TCP segments with data, out of a capture file: the classic format with nanoseconds, Ethernet, IPv4. */

export interface Segment {
  /** CLOCK_REALTIME. */
  readonly timeNs: bigint;
  /** `address:port`. */
  readonly from: string;
  readonly to: string;
  readonly sequence: number;
  /** Of the payload on the wire, of which the capture may have the beginning only. */
  readonly length: number;
  readonly payload: Buffer;
}

// tcpdump's man page, pcap-savefile(5).
const NANOSECOND_MAGIC = 0xa1b23c4d;
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_TCP = 6;

/** In the order of the capture. A record that the capture cut short ends it. */
export function segmentsOf(file: Buffer): Segment[] {
  if (file.readUInt32LE(0) !== NANOSECOND_MAGIC)
    throw new Error('not a little-endian capture with nanoseconds');
  const segments: Segment[] = [];
  let at = FILE_HEADER;
  while (at + RECORD_HEADER <= file.length) {
    const timeNs = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4));
    const end = at + RECORD_HEADER + file.readUInt32LE(at + 8);
    if (end > file.length) break;
    const segment = segmentOf(file.subarray(at + RECORD_HEADER, end), timeNs);
    if (segment) segments.push(segment);
    at = end;
  }
  return segments;
}

function segmentOf(frame: Buffer, timeNs: bigint): Segment | undefined {
  if (frame.readUInt16BE(ETHERNET - 2) !== ETHERTYPE_IPV4) return undefined;
  const ip = frame.subarray(ETHERNET);
  if (ip.readUInt8(9) !== PROTOCOL_TCP) return undefined;
  const ipHeader = (ip.readUInt8(0) & 15) * 4;
  const ipLength = ip.readUInt16BE(2);
  const tcp = ip.subarray(ipHeader, ipLength);
  const tcpHeader = (tcp.readUInt8(12) >> 4) * 4;
  const length = ipLength - ipHeader - tcpHeader;
  if (length <= 0) return undefined;
  const address = (offset: number) => [...ip.subarray(offset, offset + 4)].join('.');
  return {
    timeNs,
    from: `${address(12)}:${tcp.readUInt16BE(0)}`,
    to: `${address(16)}:${tcp.readUInt16BE(2)}`,
    sequence: tcp.readUInt32BE(4),
    length,
    payload: tcp.subarray(tcpHeader),
  };
}
