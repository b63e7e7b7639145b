/** Series of an answer → what each scraper read of each container, and the windows that come of it. Pure. */
import { HTTP_SERIES, type Labels, RPC_SERIES, rowOfLabels } from '../requests/scraped-labels.ts';
import {
  type Scrape,
  type ScrapedContainer,
  type ScrapedSeries,
  type ScrapedWindow,
  scrapedWindows,
} from '../requests/scraped-window.ts';
import type { AnsweredSeries } from './prometheus-answer.ts';
import type { ReadFault } from './request-source.ts';

/** Present for as long as an agent counts a container's requests, asked or not. */
export const SINCE_SERIES = 'flamegate_requests_counted_since_seconds';
export const COUNTED_SERIES = 'flamegate_requests_counted_total';
const LOST_SERIES = 'flamegate_requests_lost_total';

export const SERIES = [HTTP_SERIES, RPC_SERIES, SINCE_SERIES, COUNTED_SERIES, LOST_SERIES] as const;

/** What agents say of a request; any other label is of who scraped it. */
const OF_REQUESTS = new Set([
  '__name__',
  ...['http_request_method', 'http_route', 'http_response_status_code', 'url_scheme', 'error_type'],
  ...['rpc_system', 'rpc_service', 'rpc_method', 'rpc_grpc_status_code'],
]);
/** What may be told later than the first request. */
const OF_WORKLOADS = /^k8s_[a-z]+_name$/;

export interface FoundWindows {
  readonly windows: Map<string, readonly ScrapedWindow[]>;
  readonly faults: Map<ReadFault, number>;
}

export function windowsOfSeries(series: readonly AnsweredSeries[], asked: ReadonlySet<string>): FoundWindows {
  const faults = new Map<ReadFault, number>();
  const own = series.filter(
    ({ labels }) => asked.has(labels['k8s_pod_uid'] ?? '') && labels['k8s_container_name'],
  );
  note(faults, 'Foreign', series.length - own.length);
  const byContainer = Map.groupBy(
    own,
    ({ labels }) => `${labels['k8s_pod_uid']}/${labels['k8s_container_name']}`,
  );
  const windows = new Map<string, readonly ScrapedWindow[]>();
  for (const [container, ofContainer] of byContainer) {
    const scrapers = Map.groupBy(ofContainer, ({ labels }) => scraperOf(labels));
    const found = [...scrapers]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, ofScraper]) => scrapedWindows(containerOf(ofScraper)));
    const { kept, dropped } = withoutOverlaps(found);
    note(faults, 'Doubled', dropped);
    windows.set(container, kept);
  }
  return { windows, faults };
}

export function note(faults: Map<ReadFault, number>, fault: ReadFault, times: number): void {
  if (times > 0) faults.set(fault, (faults.get(fault) ?? 0) + times);
}

/** Two that scrape the same agent, as pairs of Prometheus do, tell the same twice; an agent that moved tells it in turn. */
function scraperOf(labels: Labels): string {
  const of = Object.entries(labels).filter(([name]) => !OF_REQUESTS.has(name) && !OF_WORKLOADS.test(name));
  return JSON.stringify(of.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function containerOf(series: readonly AnsweredSeries[]): ScrapedContainer {
  const named = (wanted: string): AnsweredSeries[] =>
    series.filter(({ labels }) => labels['__name__'] === wanted);
  const counter = (wanted: string): Map<number, number> =>
    new Map(named(wanted).flatMap(({ values }) => values.map(({ atMs, value }) => [atMs, value] as const)));
  const since: readonly Scrape<number>[] = [...counter(SINCE_SERIES)]
    .map(([atMs, seconds]) => ({ atMs, value: Math.round(seconds * 1_000) }))
    .sort((a, b) => a.atMs - b.atMs);
  return {
    countedSinceMs: since,
    counted: counter(COUNTED_SERIES),
    lost: counter(LOST_SERIES),
    series: [...named(HTTP_SERIES), ...named(RPC_SERIES)].flatMap(
      ({ labels, histograms }): ScrapedSeries[] => {
        const row = rowOfLabels(labels);
        if (row === undefined || histograms.length === 0) return [];
        return [{ row, histograms: new Map(histograms.map(({ atMs, value }) => [atMs, value])) }];
      },
    ),
  };
}

/** The scraper with most windows counts; of the others what it does not have. */
function withoutOverlaps(found: readonly (readonly ScrapedWindow[])[]): {
  readonly kept: readonly ScrapedWindow[];
  readonly dropped: number;
} {
  const kept: ScrapedWindow[] = [];
  let dropped = 0;
  for (const windows of found.toSorted((a, b) => b.length - a.length)) {
    const before = [...kept];
    for (const window of windows) {
      const overlaps = before.some(({ startMs, endMs }) => window.startMs < endMs && startMs < window.endMs);
      if (overlaps) dropped += 1;
      else kept.push(window);
    }
  }
  return { kept: kept.sort((a, b) => a.startMs - b.startMs), dropped };
}
