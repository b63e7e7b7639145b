/**
 * The answer of Prometheus' HTTP API to a range of raw samples: a matrix with floats and native histograms, times in seconds, numbers
 * in strings. Whatever is not as it has to be is left out and counted, or refused as a whole. Pure.
 */
import type { Labels } from '../requests/scraped-labels.ts';
import type { Scrape, ScrapedHistogram } from '../requests/scraped-window.ts';

export interface AnsweredSeries {
  readonly labels: Labels;
  readonly values: readonly Scrape<number>[];
  readonly histograms: readonly Scrape<ScrapedHistogram>[];
}

export interface PrometheusAnswer {
  readonly series: readonly AnsweredSeries[];
  /** Samples that are no number, or negative, and histograms that do not add up. */
  readonly malformed: number;
  /** Later than was asked for. */
  readonly future: number;
  /** Histograms whose buckets are too wide to tell latencies by: classic ones, or native ones of a low resolution. */
  readonly coarse: number;
}

/** 250 series of each of four pods, thrice. */
const MOST_SERIES = 4_000;
const MOST_LABELS = 64;
/** As wide as is useful for a margin of a tenth: schema 4 is 4.4 %. Agents count in 2.2 %. */
const WIDEST_BUCKET = 1.05;

/** `untilMs`: no sample may be later. A string says what is wrong with all of it. */
export function parsePrometheusAnswer(text: string, untilMs: number): PrometheusAnswer | string {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return 'answers with broken JSON';
  }
  if (!isRecord(answer) || answer['status'] !== 'success') return 'answers without success';
  const { data } = answer;
  if (!isRecord(data) || data['resultType'] !== 'matrix' || !Array.isArray(data['result'])) {
    return 'answers with something else than samples';
  }
  const result: readonly unknown[] = data['result'];
  if (result.length > MOST_SERIES) return `answers with more than ${MOST_SERIES} series`;
  const reading = { untilMs, malformed: 0, future: 0, coarse: 0 };
  const series = result.flatMap((each) => seriesOf(each, reading) ?? []);
  const { malformed, future, coarse } = reading;
  return { series, malformed, future, coarse };
}

interface Reading {
  readonly untilMs: number;
  malformed: number;
  future: number;
  coarse: number;
}

function seriesOf(json: unknown, reading: Reading): AnsweredSeries | undefined {
  const labels = isRecord(json) ? labelsOf(json['metric']) : undefined;
  if (!isRecord(json) || labels === undefined) {
    reading.malformed += 1;
    return undefined;
  }
  return {
    labels,
    values: samplesOf(json['values'], reading, countOf),
    histograms: samplesOf(json['histograms'], reading, (value) => histogramOf(value, reading)),
  };
}

function labelsOf(json: unknown): Labels | undefined {
  if (!isRecord(json)) return undefined;
  const entries = Object.entries(json);
  if (entries.length > MOST_LABELS) return undefined;
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? Object.fromEntries(entries)
    : undefined;
}

/** In order of time, each time once. */
function samplesOf<T>(
  json: unknown,
  reading: Reading,
  read: (value: unknown) => T | 'coarse' | undefined,
): Scrape<T>[] {
  if (json === undefined) return [];
  const list: readonly unknown[] = Array.isArray(json) ? json : [undefined];
  const samples = new Map<number, T>();
  for (const pair of list) {
    const [seconds, written]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    const atMs = typeof seconds === 'number' ? Math.round(seconds * 1_000) : Number.NaN;
    if (atMs > reading.untilMs) {
      reading.future += 1;
      continue;
    }
    const value = atMs > 0 ? read(written) : undefined;
    if (value === undefined) reading.malformed += 1;
    else if (value !== 'coarse') samples.set(atMs, value);
  }
  return [...samples].map(([atMs, value]) => ({ atMs, value })).sort((a, b) => a.atMs - b.atMs);
}

/** A count, or a moment in seconds. */
function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined;
}

function histogramOf(json: unknown, reading: Reading): ScrapedHistogram | 'coarse' | undefined {
  if (!isRecord(json)) return undefined;
  const count = countOf(json['count']);
  const listed: unknown = json['buckets'] ?? [];
  if (count === undefined || !Array.isArray(listed)) return undefined;
  const buckets = new Map<number, { readonly low: number; readonly count: number }>();
  let [sum, widest] = [0, 1];
  for (const bucket of listed as readonly unknown[]) {
    const [, lowest, highest, written]: readonly unknown[] = Array.isArray(bucket) ? bucket : [];
    const [low, high, held] = [Math.max(0, Number(lowest)), countOf(highest), countOf(written)];
    if (high === undefined || held === undefined || !(low < high) || buckets.has(high)) return undefined;
    buckets.set(high, { low, count: held });
    sum += held;
    if (low > 0) widest = Math.max(widest, high / low);
  }
  if (sum !== count) return undefined;
  if (widest > WIDEST_BUCKET) {
    reading.coarse += 1;
    return 'coarse';
  }
  return { count, buckets };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
