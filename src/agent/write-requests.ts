/** The page of metrics as remote write has it: prometheus.WriteRequest (prometheus/prompb/remote.proto and types.proto, v0.42). Pure. */
import { PbfWriter } from 'pbf';
import { type DurationHistogram, SCHEMA } from '../requests/duration-histogram.ts';
import type { MetricsSink } from '../wire/sinks.ts';
import type { Family, Labels, NumberSample } from './exposition.ts';
import { type Span, spansOf, writeSpan, ZERO_THRESHOLD } from './exposition-protobuf.ts';

export interface WriteOptions {
  readonly timestampMs: number;
  readonly histograms: MetricsSink['histograms'];
  /** Of every series, where it has none of its own. */
  readonly labels: Labels;
}

/** Some 400 series; by default servers take 100 MB, and proxies 1 MB. */
const MOST_BYTES = 256 * 1024;

/** Requests that are one page together. */
export function* writeRequests(families: Iterable<Family>, options: WriteOptions): Iterable<Uint8Array> {
  let to = new PbfWriter();
  for (const series of seriesOf(families, options)) {
    to.writeMessage(1, writeSeries, series);
    if (to.pos < MOST_BYTES) continue;
    yield to.finish();
    to = new PbfWriter();
  }
  if (to.pos > 0) yield to.finish();
}

interface Series extends NumberSample {
  readonly timestampMs: number;
  /** Instead of the value. */
  readonly histogram?: DurationHistogram;
}

function* seriesOf(
  families: Iterable<Family>,
  { timestampMs, histograms, labels: ofAll }: WriteOptions,
): Iterable<Series> {
  const named = (name: string, labels: Labels, more: Labels = {}) => ({
    ...{ ...ofAll, ...labels, ...more },
    __name__: name,
  });
  for (const family of families) {
    const { name } = family;
    if (family.kind !== 'histogram') {
      for (const { labels, value } of family.samples)
        yield { labels: named(name, labels), value, timestampMs };
      continue;
    }
    for (const { labels, histogram } of family.samples) {
      if (histograms === 'Native') {
        yield { labels: named(name, labels), value: 0, histogram, timestampMs };
        continue;
      }
      for (const [le, value] of bucketsOf(histogram)) {
        yield { labels: named(`${name}_bucket`, labels, { le }), value, timestampMs };
      }
      yield { labels: named(`${name}_count`, labels), value: histogram.count, timestampMs };
      yield { labels: named(`${name}_sum`, labels), value: histogram.sum, timestampMs };
    }
  }
}

function* bucketsOf(histogram: DurationHistogram): Iterable<readonly [string, number]> {
  let below = 0;
  for (const [at, bound] of histogram.bounds.entries()) {
    below += histogram.classic[at] ?? 0;
    yield [String(bound), below];
  }
  yield ['+Inf', histogram.count];
}

/** Labels by name, as the protocol wants them; one without a value is none. */
function writeSeries({ labels, value, histogram, timestampMs }: Series, to: PbfWriter): void {
  const named = Object.entries(labels).filter(([, text]) => text !== '');
  for (const label of named.toSorted(([a], [b]) => (a < b ? -1 : 1))) to.writeMessage(1, writeLabel, label);
  if (histogram === undefined) to.writeMessage(2, writeSample, { value, timestampMs });
  else to.writeMessage(4, writeHistogram, { histogram, timestampMs });
}

function writeLabel([name, value]: readonly [string, string], to: PbfWriter): void {
  to.writeStringField(1, name);
  to.writeStringField(2, value);
}

type Sample = Pick<Series, 'value' | 'timestampMs'>;

function writeSample({ value, timestampMs }: Sample, to: PbfWriter): void {
  to.writeDoubleField(1, value);
  to.writeVarintField(2, timestampMs);
}

interface HistogramAt {
  readonly histogram: DurationHistogram;
  readonly timestampMs: number;
}

function writeHistogram({ histogram, timestampMs }: HistogramAt, to: PbfWriter): void {
  to.writeVarintField(1, histogram.count);
  to.writeDoubleField(3, histogram.sum);
  to.writeSVarintField(4, SCHEMA);
  to.writeDoubleField(5, ZERO_THRESHOLD);
  const { spans, deltas } = spansOf(histogram);
  for (const span of spans) to.writeMessage<Span>(11, writeSpan, span);
  to.writePackedSVarint(12, [...deltas]);
  to.writeVarintField(15, timestampMs);
}
