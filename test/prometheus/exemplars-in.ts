/** For tests: the exemplars of a page in protobuf, by the numbers of io/prometheus/client/metrics.proto. */
import { PbfReader } from 'pbf';

export interface PageExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly endedMs: number;
}

/** Of each bucket that has one, with its bound. */
export function exemplarsIn(page: Uint8Array): readonly (readonly [number, PageExemplar])[] {
  const found: (readonly [number, PageExemplar])[] = [];
  for (const reader = new PbfReader(page); reader.pos < page.length; ) {
    const family = reader.readBytes(); // as any field, it is behind its length
    for (const metric of messages(family, 4)) found.push(...messages(metric, 7).flatMap(ofHistogram));
  }
  return found;
}

const ofHistogram = (histogram: Uint8Array) =>
  messages(histogram, 3).flatMap((bucket) =>
    messages(bucket, 3).map((exemplar) => [double(bucket, 2), parseExemplar(exemplar)] as const),
  );

function parseExemplar(exemplar: Uint8Array): PageExemplar {
  const text = (label: Uint8Array, tag: number) => fields(label, tag, (reader) => reader.readString()).join();
  const labels = messages(exemplar, 1).map((label) => [text(label, 1), text(label, 2)] as const);
  const varint = (tag: number) =>
    messages(exemplar, 3).flatMap((time) => fields(time, tag, (reader) => reader.readVarint()))[0] ?? 0;
  return {
    labels: Object.fromEntries(labels),
    value: double(exemplar, 2),
    endedMs: varint(1) * 1_000 + varint(2) / 1e6,
  };
}

const messages = (message: Uint8Array, tag: number) => fields(message, tag, (reader) => reader.readBytes());

const double = (message: Uint8Array, tag: number): number =>
  fields(message, tag, (reader) => reader.readDouble())[0] ?? Number.NaN;

function fields<T>(message: Uint8Array, wanted: number, read: (reader: PbfReader) => T): readonly T[] {
  const found: T[] = [];
  new PbfReader(message).readFields((tag, to, reader) => {
    if (tag === wanted) to.push(read(reader));
  }, found);
  return found;
}
