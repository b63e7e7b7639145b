/** Metrics as OTLP has them (opentelemetry-proto, metrics/v1/metrics.proto), cumulative: ExportMetricsServiceRequest. Pure. */
import { PbfWriter } from 'pbf';
import { type OtlpAttributes, SCOPE, writeAttributes, writeResource, writeScope } from './otlp-fields.ts';

/** What is known of one service, or of one of our own programs. */
export interface OtlpResource {
  readonly attributes: OtlpAttributes;
  readonly metrics: readonly OtlpMetric[];
}

export type OtlpMetric = MetricName &
  (
    | { readonly kind: 'Sum' | 'Gauge'; readonly points: readonly OtlpNumber[] }
    | { readonly kind: 'Histogram'; readonly points: readonly OtlpHistogram[] }
    | { readonly kind: 'ExponentialHistogram'; readonly points: readonly OtlpExponential[] }
  );

export interface MetricName {
  readonly name: string;
  readonly description: string;
  /** As UCUM has it; "" for none. */
  readonly unit: string;
}

export interface OtlpNumber {
  readonly attributes: OtlpAttributes;
  readonly value: number;
}

interface OtlpDurations {
  readonly attributes: OtlpAttributes;
  readonly count: number;
  readonly sum: number;
}

export interface OtlpHistogram extends OtlpDurations {
  readonly bounds: readonly number[];
  /** One more than bounds, not cumulative. */
  readonly counts: readonly number[];
}

/** Bucket `offset + i` holds what is above b^(offset + i) and up to b^(offset + i + 1), b being 2^(2^−scale). */
export interface OtlpExponential extends OtlpDurations {
  readonly scale: number;
  readonly offset: number;
  readonly counts: readonly number[];
  readonly zeroThreshold: number;
}

export interface OtlpTime {
  /** Since when is counted. */
  readonly startMs: number;
  readonly nowMs: number;
}

/** Collectors take 20 MB by default, proxies 1 MB. */
const MOST_BYTES = 256 * 1024;

/** Requests that are one page together. */
export function* otlpMetrics(resources: Iterable<OtlpResource>, time: OtlpTime): Iterable<Uint8Array> {
  let to = new PbfWriter();
  for (const resource of resources) {
    to.writeMessage(1, writeResourceMetrics, { resource, time });
    if (to.pos < MOST_BYTES) continue;
    yield to.finish();
    to = new PbfWriter();
  }
  if (to.pos > 0) yield to.finish();
}

interface Timed<Of> {
  readonly of: Of;
  readonly time: OtlpTime;
}

function writeResourceMetrics(
  { resource, time }: { readonly resource: OtlpResource; readonly time: OtlpTime },
  to: PbfWriter,
): void {
  to.writeMessage(1, writeResource, resource.attributes);
  to.writeMessage(2, writeScopeMetrics, { of: resource.metrics, time });
}

function writeScopeMetrics({ of, time }: Timed<readonly OtlpMetric[]>, to: PbfWriter): void {
  to.writeMessage(1, writeScope, SCOPE);
  for (const metric of of) to.writeMessage(2, writeMetric, { of: metric, time });
}

function writeMetric({ of: metric, time }: Timed<OtlpMetric>, to: PbfWriter): void {
  to.writeStringField(1, metric.name);
  to.writeStringField(2, metric.description);
  to.writeStringField(3, metric.unit);
  switch (metric.kind) {
    case 'Gauge':
      to.writeMessage(5, writeNumbers, { of: metric.points, time });
      break;
    case 'Sum':
      to.writeMessage(7, writeSum, { of: metric.points, time });
      break;
    case 'Histogram':
      to.writeMessage(9, writeHistograms, { of: metric.points, time });
      break;
    case 'ExponentialHistogram':
      to.writeMessage(10, writeExponentials, { of: metric.points, time });
      break;
  }
}

const CUMULATIVE = 2;

function writeNumbers({ of, time }: Timed<readonly OtlpNumber[]>, to: PbfWriter): void {
  for (const point of of) to.writeMessage(1, writeNumber, { of: point, time });
}

function writeSum(sum: Timed<readonly OtlpNumber[]>, to: PbfWriter): void {
  writeNumbers(sum, to);
  to.writeVarintField(2, CUMULATIVE);
  to.writeBooleanField(3, true); // it only grows
}

function writeNumber({ of: { attributes, value }, time }: Timed<OtlpNumber>, to: PbfWriter): void {
  writeTime(time, to);
  to.writeDoubleField(4, value);
  writeAttributes(7, attributes, to);
}

function writeHistograms({ of, time }: Timed<readonly OtlpHistogram[]>, to: PbfWriter): void {
  for (const point of of) to.writeMessage(1, writeHistogram, { of: point, time });
  to.writeVarintField(2, CUMULATIVE);
}

function writeHistogram({ of: point, time }: Timed<OtlpHistogram>, to: PbfWriter): void {
  writeTime(time, to);
  to.writeFixed64Field(4, point.count);
  to.writeDoubleField(5, point.sum);
  to.writePackedFixed64(6, [...point.counts]);
  to.writePackedDouble(7, [...point.bounds]);
  writeAttributes(9, point.attributes, to);
}

function writeExponentials({ of, time }: Timed<readonly OtlpExponential[]>, to: PbfWriter): void {
  for (const point of of) to.writeMessage(1, writeExponential, { of: point, time });
  to.writeVarintField(2, CUMULATIVE);
}

function writeExponential({ of: point, time }: Timed<OtlpExponential>, to: PbfWriter): void {
  writeAttributes(1, point.attributes, to);
  writeTime(time, to);
  to.writeFixed64Field(4, point.count);
  to.writeDoubleField(5, point.sum);
  to.writeSVarintField(6, point.scale);
  to.writeMessage(8, writeBuckets, point);
  to.writeDoubleField(14, point.zeroThreshold);
}

function writeBuckets({ offset, counts }: OtlpExponential, to: PbfWriter): void {
  to.writeSVarintField(1, offset);
  to.writePackedVarint(2, [...counts]);
}

function writeTime({ startMs, nowMs }: OtlpTime, to: PbfWriter): void {
  to.writeFixed64Field(2, startMs * 1e6);
  to.writeFixed64Field(3, nowMs * 1e6);
}
