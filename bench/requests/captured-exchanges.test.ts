import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchangesOf } from './captured-exchanges.ts';
import { type Segment, segmentsOf } from './pcap.ts';

const SERVER = '10.239.77.2:8080';
const ONE = '10.239.77.1:40000';
const OTHER = '10.239.77.1:40001';
const HEAD = ' HTTP/1.1\r\nHost: peer\r\n\r\n';
const PARENT = 'b7ad6b7169203331';
const TRACED = ` HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-${PARENT}-01\r\n\r\n`;

test('a request lasts from its first segment to the last one before the next', () => {
  const segments = onTheWire([
    { at: 100, from: ONE, text: `GET /a?x=1${TRACED}` },
    { at: 130, from: SERVER, to: ONE, text: 'HTTP/1.1 200 OK\r\n\r\n' },
    { at: 150, from: SERVER, to: ONE, text: 'body' },
    { at: 400, from: ONE, text: `POST /b${HEAD}` },
    { at: 420, from: ONE, text: 'a body' },
    { at: 500, from: SERVER, to: ONE, text: 'HTTP/1.1 200 OK\r\n\r\n' },
  ]);

  assert.deepEqual(exchangesOf(segments, SERVER), [
    { route: '/a', id: PARENT, latencyNs: 50 },
    { route: '/b', id: '', latencyNs: 100 },
  ]);
});

test('what is sent again is not counted, nor a request without an answer', () => {
  const segments = onTheWire([
    { at: 100, from: ONE, text: `GET /a${HEAD}` },
    { at: 110, from: OTHER, text: `GET /b${HEAD}` },
    { at: 150, from: SERVER, to: ONE, text: 'HTTP/1.1 200 OK\r\n\r\n' },
  ]);
  const again = segments.map((segment) => ({ ...segment, timeNs: segment.timeNs + 1_000n }));

  assert.deepEqual(exchangesOf([...segments, ...again], SERVER), [{ route: '/a', id: '', latencyNs: 50 }]);
});

test('a segment is found behind the headers of its packet, whatever their length', () => {
  const packet = Buffer.concat([
    Buffer.from('aabbccddeeff 112233445566 0800'.replaceAll(' ', ''), 'hex'),
    // IPv4 of 20 + 24 + 5 bytes, TCP, from 10.0.0.1 to 10.0.0.2
    Buffer.from('45000031 00000000 40060000 0a000001 0a000002'.replaceAll(' ', ''), 'hex'),
    // from port 258 to 80, sequence 7, a data offset of six words
    Buffer.from('01020050 00000007 00000000 60180000 00000000 01010101'.replaceAll(' ', ''), 'hex'),
    Buffer.from('hello, padding'),
  ]);
  const file = Buffer.alloc(24 + 16);
  file.writeUInt32LE(0xa1b23c4d, 0);
  file.writeUInt32LE(3, 24);
  file.writeUInt32LE(5, 28);
  file.writeUInt32LE(packet.length, 32);
  const cutShort = Buffer.alloc(20);
  cutShort.writeUInt32LE(100, 8);

  const segments = segmentsOf(Buffer.concat([file, packet, cutShort]));

  assert.deepEqual(
    segments.map(({ payload, ...rest }) => ({ ...rest, payload: payload.toString() })),
    [
      {
        ...{ timeNs: 3_000_000_005n, from: '10.0.0.1:258', to: '10.0.0.2:80', sequence: 7 },
        ...{ length: 5, payload: 'hello' },
      },
    ],
  );
  assert.throws(() => segmentsOf(Buffer.alloc(24)), /nanoseconds/);
});

interface Sent {
  readonly at: number;
  readonly from: string;
  readonly to?: string;
  readonly text: string;
}

/** Numbered as TCP does, with numbers that overflow. */
function onTheWire(sent: readonly Sent[]): Segment[] {
  const next = new Map<string, number>();
  return sent.map(({ at, from, to = SERVER, text }) => {
    const sequence = next.get(from + to) ?? 0xffff_fff0;
    next.set(from + to, (sequence + text.length) >>> 0);
    return { timeNs: BigInt(at), from, to, sequence, length: text.length, payload: Buffer.from(text) };
  });
}
