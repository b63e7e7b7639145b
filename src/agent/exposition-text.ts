/** Prometheus' text format 0.0.4, in pieces: a page of a thousand histograms is 4 MB, which nobody holds at once. */
import type { Family, HistogramSample, Labels } from './exposition.ts';

export const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function* textOf(families: Iterable<Family>): Iterable<string> {
  for (const family of families) {
    const { kind, name, help } = family;
    yield `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
    if (family.kind === 'histogram') {
      for (const sample of family.samples) yield histogramText(name, sample);
    } else {
      for (const { labels, value } of family.samples) yield `${name}${labelText(labels)} ${value}\n`;
    }
  }
}

function histogramText(name: string, { labels, histogram }: HistogramSample): string {
  const pairs = pairText(labels);
  const upTo = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`;
  let below = 0;
  let text = '';
  for (const [at, bound] of histogram.bounds.entries()) {
    below += histogram.classic[at] ?? 0;
    text += `${upTo}${bound}"} ${below}\n`;
  }
  const ofAll = pairs === '' ? '' : `{${pairs}}`;
  return `${text}${upTo}+Inf"} ${histogram.count}\n${name}_sum${ofAll} ${histogram.sum}\n${name}_count${ofAll} ${histogram.count}\n`;
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
