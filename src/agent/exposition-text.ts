/** Prometheus' text format 0.0.4, in pieces: a page of a thousand histograms is 4 MB, which nobody holds at once. */
import { BOUNDS_S } from '../requests/duration-histogram.ts';
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
  let below = 0;
  let text = '';
  for (const [at, bound] of BOUNDS_S.entries()) {
    below += histogram.classic[at] ?? 0;
    text += `${name}_bucket${labelText({ ...labels, le: String(bound) })} ${below}\n`;
  }
  text += `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${histogram.count}\n`;
  const ofAll = labelText(labels);
  return `${text}${name}_sum${ofAll} ${histogram.sumSeconds}\n${name}_count${ofAll} ${histogram.count}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
