/**
 * Windows of agents with the requests that were scraped: CPU is the agents', latencies are the backend's. What agents told of their
 * requests only says what the backend does not have, which is then lost. Pure.
 */
import { mergeRequests } from '../../detect/merged-window.ts';
import { type RequestWindow, requestsIn } from '../../requests/request-window.ts';
import type { ScrapedWindow, ScrapeFault } from '../../requests/scraped-window.ts';
import type { StoredWindow } from '../../store/stored-window.ts';

export interface JoinedWindows {
  readonly windows: readonly StoredWindow[];
  /** False: some are left out, as their scrape may still come. */
  readonly isWhole: boolean;
  /** Requests that are lost, by why. */
  readonly lost: ReadonlyMap<ScrapeFault, number>;
  /** Requests as agents told them, and as they are now, lost ones and all. */
  readonly told: number;
  readonly read: number;
}

/**
 * a window of an agent, its requests …          → its requests are
 * cannot be seen, as it says                     → the same
 * with the end of a scrape's in it               → the scrape's: of the whole time between two scrapes, if that began since `fromMs`
 * within a scrape's that ends in another         → none
 * not scraped, and ended since `waitedSinceMs`   → left out for now
 * not scraped, or between two that are too far   → lost, as many as the agent told
 */
export function withScrapedRequests(
  windows: readonly StoredWindow[],
  scraped: ReadonlyMap<string, readonly ScrapedWindow[]>,
  { fromMs, waitedSinceMs }: { readonly fromMs: number; readonly waitedSinceMs: number },
): JoinedWindows {
  const joined: StoredWindow[] = [];
  const lost = new Map<ScrapeFault, number>();
  const note = (fault: ScrapeFault | undefined, requests: number): void => {
    if (fault !== undefined) lost.set(fault, (lost.get(fault) ?? 0) + requests);
  };
  for (const window of windows) {
    const scrapes = scrapesOf(window, scraped.get(window.pod) ?? []);
    const { requests: told, ...rest } = window;
    if (told?.state === 'NotObservable') joined.push(window);
    else if (scrapes !== undefined) {
      const own = scrapes.filter(({ startMs }) => startMs >= fromMs);
      for (const { fault, requests } of own) note(fault, requests.lost);
      joined.push({ ...rest, requests: mergeRequests(own.map(({ requests }) => requests)) ?? NONE });
    } else if (told === undefined) joined.push(window);
    else if (window.endMs <= waitedSinceMs) {
      const missing = allIn(told);
      note('Gap', missing);
      joined.push({ ...rest, requests: { ...NONE, lost: missing } });
    }
  }
  const isWhole = joined.length === windows.length;
  return { windows: joined, isWhole, lost, told: answeredIn(windows), read: answeredIn(joined) };
}

const answeredIn = (windows: readonly StoredWindow[]): number =>
  windows.reduce((sum, { requests }) => sum + (requests ? allIn(requests) : 0), 0);

const allIn = ({ lost, routes }: RequestWindow): number => lost + requestsIn(routes);

const NONE: RequestWindow = { state: 'Seen', reason: '', message: '', lost: 0, routes: [] };

/** That end in the window; none of them where it is within one that ends in another. Undefined: it is not scraped. */
function scrapesOf(
  window: StoredWindow,
  scraped: readonly ScrapedWindow[],
): readonly ScrapedWindow[] | undefined {
  const middleMs = (window.startMs + window.endMs) / 2;
  const usable = scraped.filter(({ fault }) => fault !== 'Gap');
  const ending = usable.filter(({ endMs }) => endMs > window.startMs && endMs <= window.endMs);
  const isWithin = usable.some(({ startMs, endMs }) => startMs <= middleMs && middleMs < endMs);
  return ending.length > 0 || isWithin ? ending : undefined;
}
