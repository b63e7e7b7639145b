/** What was asked and answered on connections that carry one request after the other, by what was on the wire. */
import type { Segment } from './pcap.ts';
import type { Timed } from './timed.ts';

interface Connection {
  /** The next byte that was not captured before, by direction: what is sent again is passed over. */
  readonly next: Map<string, number>;
  route: string;
  id: string;
  begunNs: bigint | undefined;
  answeredNs: bigint | undefined;
}

const REQUEST_LINE = /^[A-Z]+ ([^ ?]+)[^ ]* HTTP\/1\.1\r\n/;
const PARENT = /\r\ntraceparent: 00-[0-9a-f]{32}-([0-9a-f]{16})-/i;
const HALF_OF_SEQUENCES = 0x8000_0000;

/**
 * Those whose response had begun when the capture ended, by the server's `address:port`; from the first segment of the request to
 * the last one of its response. A request's id is the parent of its traceparent.
 */
export function exchangesOf(segments: readonly Segment[], server: string): Timed[] {
  const exchanges: Timed[] = [];
  const connections = new Map<string, Connection>();
  const finish = (connection: Connection) => {
    const { route, id, begunNs, answeredNs } = connection;
    if (begunNs === undefined || answeredNs === undefined) return;
    exchanges.push({ route, id, latencyNs: Number(answeredNs - begunNs) });
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
    const head = segment.payload.toString('latin1');
    connection.route = REQUEST_LINE.exec(head)?.[1] ?? '';
    connection.id = PARENT.exec(head)?.[1] ?? '';
  }
  for (const connection of connections.values()) finish(connection);
  return exchanges;
}

const newConnection = (): Connection => ({
  next: new Map(),
  route: '',
  id: '',
  begunNs: undefined,
  answeredNs: undefined,
});

function isNew({ next }: Connection, { from, sequence, length }: Segment): boolean {
  const known = next.get(from);
  if (known !== undefined && (sequence - known) >>> 0 >= HALF_OF_SEQUENCES) return false;
  next.set(from, (sequence + length) >>> 0);
  return true;
}
