/**
 * Prometheus' text format 0.0.4, and OpenMetrics 1.0, which is nearly the same and has exemplars. In pieces: a page of a thousand
 * histograms is 4 MB, which nobody holds at once.
 */
import type { Exemplar } from '../requests/slowest-traced.ts';
import { parentIdOf, traceIdOf } from '../requests/trace-parent.ts';
import type { Family, HistogramSample, Labels } from './exposition.ts';

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** In what they differ. */
interface Dialect {
  /** Of a counter, whose samples end with _total. */
  counterName(name: string): string;
  /** As a value of the label `le`. */
  boundText(bound: number): string;
  readonly hasExemplars: boolean;
}

const PROMETHEUS: Dialect = { counterName: (name) => name, boundText: String, hasExemplars: false };
const OPEN_METRICS: Dialect = {
  counterName: (name) => name.replace(/_total$/, ''),
  boundText: (bound) => (Number.isInteger(bound) ? bound.toFixed(1) : String(bound)), // the canonical one
  hasExemplars: true,
};

export const textOf = (families: Iterable<Family>): Iterable<string> => piecesOf(families, PROMETHEUS);

export function* openMetricsOf(families: Iterable<Family>): Iterable<string> {
  yield* piecesOf(families, OPEN_METRICS);
  yield '# EOF\n';
}

function* piecesOf(families: Iterable<Family>, dialect: Dialect): Iterable<string> {
  for (const family of families) {
    const { kind, name, help } = family;
    const ofAll = kind === 'counter' ? dialect.counterName(name) : name;
    yield `# HELP ${ofAll} ${help}\n# TYPE ${ofAll} ${kind}\n`;
    if (family.kind === 'histogram') {
      for (const sample of family.samples) yield histogramText(name, sample, dialect);
    } else {
      for (const { labels, value } of family.samples) yield `${name}${labelText(labels)} ${value}\n`;
    }
  }
}

function histogramText(name: string, { labels, histogram }: HistogramSample, dialect: Dialect): string {
  const exemplar = dialect.hasExemplars ? histogram.slowest.show() : undefined;
  const exemplarAt = exemplar && histogram.classicBucketOf(exemplar.duration);
  const behind = (at: number) => (exemplar && at === exemplarAt ? exemplarText(exemplar) : '');
  const pairs = pairText(labels);
  const upTo = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`;
  let below = 0;
  let text = '';
  for (const [at, bound] of histogram.bounds.entries()) {
    below += histogram.classic[at] ?? 0;
    text += `${upTo}${dialect.boundText(bound)}"} ${below}${behind(at)}\n`;
  }
  const ofAll = pairs === '' ? '' : `{${pairs}}`;
  text += `${upTo}+Inf"} ${histogram.count}${behind(histogram.bounds.length)}\n`;
  return `${text}${name}_sum${ofAll} ${histogram.sum}\n${name}_count${ofAll} ${histogram.count}\n`;
}

function exemplarText({ traceParent, duration, endedMs }: Exemplar): string {
  const labels = { trace_id: traceIdOf(traceParent), span_id: parentIdOf(traceParent) };
  return ` # ${labelText(labels)} ${duration} ${(endedMs / 1_000).toFixed(3)}`;
}

function labelText(labels: Labels): string {
  const pairs = pairText(labels);
  return pairs === '' ? '' : `{${pairs}}`;
}

function pairText(labels: Labels): string {
  let text = '';
  for (const [name, value] of Object.entries(labels)) {
    text += `${text === '' ? '' : ','}${name}="${escaped(value)}"`;
  }
  return text;
}

function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
