/**
 * Prometheus' protobuf format: io.prometheus.client.MetricFamily, each behind its length. The only one that holds native
 * histograms. Numbers of fields are those of the project client_model, io/prometheus/client/metrics.proto.
 */
import { PbfWriter } from 'pbf';
import { type DurationHistogram, SCHEMA } from '../requests/duration-histogram.ts';
import type { Exemplar } from '../requests/slowest-traced.ts';
import { parentIdOf, traceIdOf } from '../requests/trace-parent.ts';
import type { Family, HistogramSample, Labels, NumberSample } from './exposition.ts';

export const PROTOBUF_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const TYPES = { counter: 0, gauge: 1, histogram: 4 } as const;

/**
 * Pieces whose characters are bytes (latin1). As buffers they would lie outside of the heap, where V8 lets 30 MB gather before
 * it looks (measured on Node 24.21: 2 MB more with each page of a thousand series).
 */
export function* protobufOf(families: Iterable<Family>): Iterable<string> {
  for (const family of families) {
    const pieces = [...piecesOf(family)];
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    yield bytesOf((to) => to.writeVarint(length));
    yield* pieces;
  }
}

function* piecesOf(family: Family): Iterable<string> {
  yield bytesOf((to) => {
    to.writeStringField(1, family.name);
    to.writeStringField(2, family.help);
    to.writeVarintField(3, TYPES[family.kind]);
  });
  if (family.kind === 'histogram') {
    for (const sample of family.samples)
      yield bytesOf((to) => to.writeMessage(4, writeHistogramMetric, sample));
  } else {
    const write = family.kind === 'counter' ? writeCounter : writeGauge;
    for (const sample of family.samples) yield bytesOf((to) => to.writeMessage(4, write, sample));
  }
}

/** One for all: it is written and read without a pause between. */
const scratch = new PbfWriter(new Uint8Array(4_096));

function bytesOf(write: (to: PbfWriter) => void): string {
  scratch.pos = 0;
  write(scratch);
  const { buffer, byteOffset } = scratch.buf;
  return Buffer.from(buffer, byteOffset, scratch.pos).toString('latin1');
}

function writeGauge({ labels, value }: NumberSample, to: PbfWriter): void {
  writeLabels(labels, to);
  to.writeMessage(2, writeValue, value);
}

function writeCounter({ labels, value }: NumberSample, to: PbfWriter): void {
  writeLabels(labels, to);
  to.writeMessage(3, writeValue, value);
}

function writeHistogramMetric({ labels, histogram }: HistogramSample, to: PbfWriter): void {
  writeLabels(labels, to);
  to.writeMessage(7, writeHistogram, histogram);
}

function writeLabels(labels: Labels, to: PbfWriter): void {
  for (const label of Object.entries(labels)) to.writeMessage(1, writeLabel, label);
}

function writeLabel([name, value]: [string, string], to: PbfWriter): void {
  to.writeStringField(1, name);
  to.writeStringField(2, value);
}

const writeValue = (value: number, to: PbfWriter): void => to.writeDoubleField(1, value);

/** As Go's client: what is nearer to zero than this would be in the bucket of zeros, which stays empty. */
export const ZERO_THRESHOLD = 2 ** -128;

/**
 * Both kinds; a Prometheus that takes native ones leaves the classic buckets, unless its settings say otherwise. It finds exemplars
 * in them all the same. The field of native ones (16) is not used: 2.51 to 2.54 read of it only that of a metric's first series.
 */
function writeHistogram(histogram: DurationHistogram, to: PbfWriter): void {
  to.writeVarintField(1, histogram.count);
  to.writeDoubleField(2, histogram.sum);
  const exemplar = histogram.slowest.show();
  const exemplarAt = exemplar && histogram.classicBucketOf(exemplar.duration);
  let below = 0;
  for (const [at, bound] of histogram.bounds.entries()) {
    below += histogram.classic[at] ?? 0;
    to.writeMessage(3, writeBucket, { below, bound, exemplar: at === exemplarAt ? exemplar : undefined });
  }
  // the last bucket goes without saying, but for what is said of it
  if (exemplarAt === histogram.bounds.length) {
    to.writeMessage(3, writeBucket, { below: histogram.count, bound: Number.POSITIVE_INFINITY, exemplar });
  }
  to.writeSVarintField(5, SCHEMA);
  to.writeDoubleField(6, ZERO_THRESHOLD);
  const { spans, deltas } = spansOf(histogram);
  for (const span of spans) to.writeMessage(12, writeSpan, span);
  for (const delta of deltas) to.writeSVarintField(13, delta);
}

interface Bucket {
  readonly below: number;
  readonly bound: number;
  readonly exemplar: Exemplar | undefined;
}

function writeBucket({ below, bound, exemplar }: Bucket, to: PbfWriter): void {
  to.writeVarintField(1, below);
  to.writeDoubleField(2, bound);
  if (exemplar) to.writeMessage(3, writeExemplar, exemplar);
}

function writeExemplar({ traceParent, duration, endedMs }: Exemplar, to: PbfWriter): void {
  to.writeMessage(1, writeLabel, ['trace_id', traceIdOf(traceParent)]);
  to.writeMessage(1, writeLabel, ['span_id', parentIdOf(traceParent)]);
  to.writeDoubleField(2, duration);
  to.writeMessage(3, writeTimestamp, Math.round(endedMs));
}

/** google.protobuf.Timestamp. */
function writeTimestamp(ms: number, to: PbfWriter): void {
  to.writeVarintField(1, Math.floor(ms / 1_000));
  to.writeVarintField(2, (ms % 1_000) * 1e6);
}

export interface Span {
  /** From the end of the span before; of the first: its first bucket. */
  readonly offset: number;
  length: number;
}

export function writeSpan({ offset, length }: Span, to: PbfWriter): void {
  to.writeSVarintField(1, offset);
  to.writeVarintField(2, length);
}

/** Runs of buckets that are not empty, and of each bucket what it has more than the one before. */
export function spansOf(histogram: DurationHistogram): { spans: readonly Span[]; deltas: readonly number[] } {
  const spans: Span[] = [];
  const deltas: number[] = [];
  let end = 0;
  let before = 0;
  histogram.eachNative((index, count) => {
    const span = spans.at(-1);
    if (span !== undefined && index === end) span.length += 1;
    else spans.push({ offset: index - end, length: 1 });
    deltas.push(count - before);
    end = index + 1;
    before = count;
  });
  return { spans, deltas };
}
