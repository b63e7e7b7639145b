/** What was asked and answered on connections that carry one request after the other, by what was on the wire. */
import type { Segment } from './pcap.ts';

export interface Captured {
  readonly path: string;
  /** From the first segment of the request to the last one of its response. */
  readonly latencyNs: number;
}

interface Connection {
  /** The next byte that was not captured before, by direction: what is sent again is passed over. */
  readonly next: Map<string, number>;
  path: string;
  begunNs: bigint | undefined;
  answeredNs: bigint | undefined;
}

const REQUEST_LINE = /^[A-Z]+ ([^ ?]+)[^ ]* HTTP\/1\.1\r\n/;
const HALF_OF_SEQUENCES = 0x8000_0000;

/** Those whose response had begun when the capture ended, by the server's `address:port`; in the order in which they were asked. */
export function exchangesOf(segments: readonly Segment[], server: string): Captured[] {
  const exchanges: Captured[] = [];
  const connections = new Map<string, Connection>();
  const finish = (connection: Connection) => {
    const { path, begunNs, answeredNs } = connection;
    if (begunNs === undefined || answeredNs === undefined) return;
    exchanges.push({ path, latencyNs: Number(answeredNs - begunNs) });
    connection.begunNs = undefined;
    connection.answeredNs = undefined;
  };
  for (const segment of segments) {
    const isRequest = segment.to === server;
    const client = isRequest ? segment.from : segment.to;
    const connection = connections.get(client) ?? newConnection();
    connections.set(client, connection);
    if (!isNew(connection, segment)) continue;
    if (!isRequest) {
      connection.answeredNs = segment.timeNs;
      continue;
    }
    finish(connection);
    if (connection.begunNs !== undefined) continue; // more of the same request
    connection.begunNs = segment.timeNs;
    connection.path = REQUEST_LINE.exec(segment.payload.toString('latin1'))?.[1] ?? '';
  }
  for (const connection of connections.values()) finish(connection);
  return exchanges;
}

const newConnection = (): Connection => ({
  next: new Map(),
  path: '',
  begunNs: undefined,
  answeredNs: undefined,
});

function isNew({ next }: Connection, { from, sequence, payload }: Segment): boolean {
  const known = next.get(from);
  if (known !== undefined && (sequence - known) >>> 0 >= HALF_OF_SEQUENCES) return false;
  next.set(from, (sequence + payload.length) >>> 0);
  return true;
}
