import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamsOf } from './captured-streams.ts';
import type { Segment } from './pcap.ts';

const SERVER = '10.239.77.2:8080';
const CLIENT = '10.239.77.1:40000';
const OTHER = '10.239.77.1:40001';
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const END = 1;

test('a stream lasts from its HEADERS to the end of its response, whatever comes between', () => {
  const segments = onTheWire([
    { at: 100, bytes: [PREFACE, frame(SETTINGS, 0, 0), frame(HEADERS, END, 1, 20)] },
    { at: 110, bytes: [frame(HEADERS, 0, 3, 30)] },
    { at: 120, bytes: [frame(DATA, END, 3, 3_000)] },
    { at: 130, from: SERVER, bytes: [frame(SETTINGS, END, 0), frame(HEADERS, 0, 3, 5)] },
    { at: 150, from: SERVER, bytes: [frame(HEADERS, END, 1, 5), frame(DATA, 0, 3, 100)] },
    { at: 170, from: SERVER, bytes: [frame(HEADERS, END, 3, 10)] },
    { at: 180, client: OTHER, bytes: [PREFACE, frame(HEADERS, END, 1, 20)] },
    { at: 190, client: OTHER, from: SERVER, bytes: [frame(HEADERS, END, 1, 20)] },
  ]);

  assert.deepEqual(streamsOf(segments, SERVER), [
    { client: CLIENT, latencyNs: 50 },
    { client: CLIENT, latencyNs: 60 },
    { client: OTHER, latencyNs: 10 },
  ]);
});

test('a frame may lie across segments, its header too; what is sent again is not read again', () => {
  const asked = Buffer.concat([PREFACE, frame(HEADERS, END, 1, 20), frame(HEADERS, END, 3, 20)]);
  const answered = Buffer.concat([frame(DATA, 0, 1, 50), frame(DATA, END, 1, 50), frame(DATA, END, 3, 0)]);
  const everyByte = [
    ...[...asked].map((byte, i) => ({ at: 100 + i, bytes: [Buffer.of(byte)] })),
    ...[...answered].map((byte, i) => ({ at: 500 + i, from: SERVER, bytes: [Buffer.of(byte)] })),
  ];
  const segments = onTheWire(everyByte);
  const again = segments.map((segment) => ({ ...segment, timeNs: segment.timeNs + 1_000n }));
  const first = PREFACE.length;
  const second = first + 9 + 20;

  assert.deepEqual(streamsOf([...segments, ...again], SERVER), [
    { client: CLIENT, latencyNs: 500 + 2 * 59 - 1 - (100 + first) },
    { client: CLIENT, latencyNs: 500 + answered.length - 1 - (100 + second) },
  ]);
});

test('nothing is said of a capture in which packets are missing, cut short, or the last ones', () => {
  const whole = onTheWire([
    { at: 100, bytes: [PREFACE, frame(HEADERS, END, 1, 20)] },
    { at: 110, bytes: [frame(HEADERS, END, 3, 20)] },
    { at: 120, bytes: [frame(HEADERS, END, 5, 20)] },
  ]);
  const [one, , three] = whole;
  assert.ok(one && three);

  assert.throws(() => streamsOf(whole, SERVER), /no end of 10\.239\.77\.1:40000 1 was captured/);
  assert.throws(() => streamsOf([one, three], SERVER), /are missing/);
  assert.throws(() => streamsOf([{ ...one, length: one.length + 1 }], SERVER), /not captured whole/);
});

function frame(type: number, flags: number, stream: number, length = 0): Buffer {
  const bytes = Buffer.alloc(9 + length);
  bytes.writeUIntBE(length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  return bytes;
}

interface Sent {
  readonly at: number;
  readonly client?: string;
  readonly from?: string;
  readonly bytes: readonly Buffer[];
}

/** Numbered as TCP does, with numbers that overflow. */
function onTheWire(sent: readonly Sent[]): Segment[] {
  const next = new Map<string, number>();
  return sent.map(({ at, client = CLIENT, from = client, bytes }) => {
    const to = from === SERVER ? client : SERVER;
    const payload = Buffer.concat(bytes);
    const sequence = next.get(from + to) ?? 0xffff_fff0;
    next.set(from + to, (sequence + payload.length) >>> 0);
    return { timeNs: BigInt(at), from, to, sequence, length: payload.length, payload };
  });
}
