/**
 * Windows of a container's requests between two scrapes of its series. Counters are subtracted here, not by a query, because what
 * begins anew, is missing or was scraped too late is to be counted as lost, and never filled in. What all series hold together is a
 * counter of its own: a window whose series do not add up to it is lost as a whole. Pure.
 */
import { type CountedBucket, sketchOfBuckets } from './bucket-sketch.ts';
import { MOST_ROWS, mergeRows, type RequestWindow, type RouteWindow, requestsIn } from './request-window.ts';
import type { ScrapedRow } from './scraped-labels.ts';

/** A longer pause between two scrapes is a gap: looks are half a minute apart, and a scrape may be late by some seconds. */
export const LONGEST_INTERVAL_MS = 35_000;
/** Agents count on while their page is read: what a page holds is of some hundred milliseconds. */
const UNEVEN = { part: 0.05, plus: 2 };

export interface Scrape<T> {
  readonly atMs: number;
  readonly value: T;
}

export interface ScrapedHistogram {
  readonly count: number;
  /** By their upper bound; bounds are in the metric's unit. */
  readonly buckets: ReadonlyMap<number, { readonly low: number; readonly count: number }>;
}

/** What one scraper read of one container, by the time of the scrape. */
export interface ScrapedContainer {
  /** In order of time. */
  readonly countedSinceMs: readonly Scrape<number>[];
  readonly counted: ReadonlyMap<number, number>;
  readonly lost: ReadonlyMap<number, number>;
  readonly series: readonly ScrapedSeries[];
}

export interface ScrapedSeries {
  readonly row: ScrapedRow;
  readonly histograms: ReadonlyMap<number, ScrapedHistogram>;
}

/** Gap: a scrape is missing. Restarted: counters began anew. Uneven: series are missing, fell, or hold what nobody counted. */
export type ScrapeFault = 'Gap' | 'Restarted' | 'Uneven';

export interface ScrapedWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly requests: RequestWindow;
  /** Why its requests are lost, where they are. */
  readonly fault?: ScrapeFault;
}

export function scrapedWindows(container: ScrapedContainer): readonly ScrapedWindow[] {
  return container.countedSinceMs.flatMap((scrape, at, all) => windowsUntil(scrape, all[at - 1], container));
}

/**
 * the container's counters                    → windows
 * as old as at the scrape before              → one between the two, lost where it is a gap or uneven
 * younger                                     → one since they began, and before it one that is lost
 * no scrape before, and younger than a scrape → one since they began
 */
function windowsUntil(
  { atMs, value: sinceMs }: Scrape<number>,
  before: Scrape<number> | undefined,
  container: ScrapedContainer,
): readonly ScrapedWindow[] {
  if (before?.value === sinceMs) {
    const span = { startMs: before.atMs, endMs: atMs, afterMs: before.atMs };
    if (atMs - before.atMs <= LONGEST_INTERVAL_MS) return [windowOf(span, container)];
    return [lostWindow(span, countedIn(span, container) + lostIn(span, container), 'Gap')];
  }
  // by the node's clock, which need not be the scraper's
  const beganMs = Math.min(atMs, Math.max(before?.atMs ?? 0, sinceMs));
  const since = { startMs: beganMs, endMs: atMs };
  const isShort = atMs > beganMs && atMs - beganMs <= LONGEST_INTERVAL_MS;
  const windows = isShort ? [windowOf(since, container)] : [];
  if (before === undefined) return windows;
  const counted = container.counted.get(atMs) ?? 0;
  const blindMs = beganMs - before.atMs;
  // At the rate of after: nobody knows.
  const unseen = isShort ? Math.ceil((counted * blindMs) / (atMs - beganMs)) : counted;
  return [
    lostWindow({ startMs: before.atMs, endMs: isShort ? beganMs : atMs }, unseen, 'Restarted'),
    ...windows,
  ];
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
  /** The scrape that is subtracted; absent where counters began within the span. */
  readonly afterMs?: number;
}

function windowOf(span: Span, container: ScrapedContainer): ScrapedWindow {
  const counted = countedIn(span, container);
  const lost = lostIn(span, container);
  const routes = rowsIn(span, container.series);
  const seen = routes === undefined ? 0 : requestsIn(routes);
  const isUneven = Math.abs(seen - counted) > UNEVEN.part * counted + UNEVEN.plus;
  if (routes === undefined || isUneven || !isCounted(span, container)) {
    return lostWindow(span, Math.max(counted, 0) + lost, 'Uneven');
  }
  const missing = Math.max(0, counted - seen);
  const { startMs, endMs } = span;
  return {
    ...{ startMs, endMs },
    requests: { state: 'Seen', reason: '', message: '', lost: lost + missing, routes },
  };
}

const lostWindow = ({ startMs, endMs }: Span, lost: number, fault: ScrapeFault): ScrapedWindow => ({
  ...{ startMs, endMs, fault },
  requests: { state: 'Seen', reason: '', message: '', lost: Math.max(1, lost), routes: [] },
});

/** Whether it is known what all series together should hold. */
const isCounted = ({ endMs, afterMs }: Span, { counted }: ScrapedContainer): boolean =>
  counted.has(endMs) && (afterMs === undefined || counted.has(afterMs));

const countedIn = (span: Span, { counted }: ScrapedContainer): number => grownBy(span, counted);

const lostIn = (span: Span, { lost }: ScrapedContainer): number => Math.max(0, grownBy(span, lost));

const grownBy = ({ endMs, afterMs }: Span, counter: ReadonlyMap<number, number>): number =>
  (counter.get(endMs) ?? 0) - (afterMs === undefined ? 0 : (counter.get(afterMs) ?? 0));

/** Undefined: a series fell, or there are more rows than a window may have. */
function rowsIn(span: Span, series: readonly ScrapedSeries[]): readonly RouteWindow[] | undefined {
  const rows = new Map<string, RouteWindow>();
  for (const { row, histograms } of series) {
    const until = histograms.get(span.endMs);
    const after = span.afterMs === undefined ? undefined : histograms.get(span.afterMs);
    if (until === undefined && after === undefined) continue;
    const grown = until && bucketsBetween(after, until, row.unitUs);
    if (grown === undefined) return undefined;
    if (grown.length === 0) continue;
    const key = `${row.method} ${row.route}`;
    const same = rows.get(key);
    const window = routeWindow(row, grown);
    rows.set(key, same === undefined ? window : mergeRows(same, window));
  }
  return rows.size > MOST_ROWS ? undefined : [...rows.values()];
}

function bucketsBetween(
  after: ScrapedHistogram | undefined,
  until: ScrapedHistogram,
  unitUs: number,
): CountedBucket[] | undefined {
  for (const high of after?.buckets.keys() ?? []) if (!until.buckets.has(high)) return undefined;
  const grown: CountedBucket[] = [];
  for (const [high, { low, count }] of until.buckets) {
    const more = count - (after?.buckets.get(high)?.count ?? 0);
    if (more < 0) return undefined;
    if (more > 0) grown.push({ low: low * unitUs, high: high * unitUs, count: more });
  }
  return grown;
}

function routeWindow(
  { method, route, byPattern, end }: ScrapedRow,
  grown: readonly CountedBucket[],
): RouteWindow {
  const count = grown.reduce((sum, bucket) => sum + bucket.count, 0);
  const of = (wanted: ScrapedRow['end']): number => (wanted === end ? count : 0);
  const isAnswer = typeof end === 'number';
  const sketch = end === 5 ? [] : sketchOfBuckets(grown);
  return {
    ...{ method, route },
    ...(byPattern ? { byPattern: true as const } : {}),
    answers: [of(0), of(1), of(2), of(3), of(4), of(5)],
    ...{ clientGone: of('clientGone'), unfinished: of('unfinished'), reset: of('reset') },
    latency: isAnswer ? sketch : [],
    waited: isAnswer ? [] : sketch,
  };
}
