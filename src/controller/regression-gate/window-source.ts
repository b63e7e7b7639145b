/** Where gates read the windows of pods: in the store that agents fill, and their requests in the install's Prometheus where it names one. */
import { BackendError } from '../../backends/backend-error.ts';
import type { ReadFault, ReadRequests, RequestSource } from '../../backends/request-source.ts';
import type { ScrapeFault } from '../../requests/scraped-window.ts';
import type { StoredWindow } from '../../store/stored-window.ts';
import type { WindowQuery, WindowStore } from '../../store/window-store.ts';
import { withScrapedRequests } from './scraped-requests.ts';

export interface WindowSource {
  /** What was read under another is of no use. */
  id(): string;
  /** Ordered by start, then by pod. Throws STORE_READ_FAILED, or a BackendError. */
  windows(query: WindowQuery): Promise<ReadWindows>;
}

export interface ReadWindows {
  readonly windows: readonly StoredWindow[];
  /** False while a window is to be waited for. */
  readonly isWhole: boolean;
  /** Present where a backend was asked. */
  readonly backend?: BackendSaid;
}

export interface BackendSaid {
  readonly name: string;
  /** What was wrong with its answers, and how often. */
  readonly faults: ReadonlyMap<ReadFault, number>;
  /** Requests that it does not have, by why. */
  readonly lost: ReadonlyMap<ScrapeFault, number>;
  /** Requests as agents told them, and as they were read there, lost ones and all. */
  readonly told: number;
  readonly read: number;
}

export interface WindowSources {
  readonly store: Pick<WindowStore, 'windows' | 'storeId'>;
  /** Of the settings that are in force; undefined: none is named. */
  readonly requests?: () => RequestSource | undefined;
  readonly now: () => number;
  readonly observe?: (
    result: 'read' | BackendError['code'],
    said: Pick<BackendSaid, 'faults' | 'lost'>,
  ) => void;
}

/** After the end of a window: a scrape, its way into a database that is written from afar, and a pause between two tries. */
const PATIENCE_MS = 90_000;
/** Scrapes after the last window that say whether it is part of one. */
const LOOK_AHEAD_MS = 35_000;
/** Who failed is left alone for so long: all gates are judged in turn, and none is to wait for the timeouts of the others. */
const REST_MS = 10_000;

export function windowSource({ store, requests, now, observe }: WindowSources): WindowSource {
  let failed: { readonly source: string; readonly atMs: number; readonly error: BackendError } | undefined;
  const ask = async (source: RequestSource, pods: readonly string[], span: Span): Promise<ReadRequests> => {
    if (failed?.source === source.id && Math.abs(now() - failed.atMs) < REST_MS) throw failed.error;
    try {
      const read = await source.windows(pods, span);
      failed = undefined;
      return read;
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      failed = { source: source.id, atMs: now(), error };
      observe?.(error.code, NOTHING);
      throw error;
    }
  };
  return {
    id: () => [store.storeId(), requests?.()?.id ?? ''].join(' '),
    async windows(query) {
      const windows = store.windows(query);
      const source = requests?.();
      const [first] = windows;
      if (source === undefined || first === undefined) return { windows, isWhole: true };
      const pods = [...new Set(query.pods.map(({ podUid }) => podUid))];
      const lastMs = windows.reduce((last, { endMs }) => Math.max(last, endMs), first.endMs);
      const span = { fromMs: first.startMs, toMs: Math.min(lastMs + LOOK_AHEAD_MS, now()) };
      const read = await ask(source, pods, span);
      const since = { fromMs: query.fromMs, waitedSinceMs: now() - PATIENCE_MS };
      const { told, read: asRead, lost, ...joined } = withScrapedRequests(windows, read.windows, since);
      const said = { name: source.name, faults: read.faults, lost, told, read: asRead };
      observe?.('read', said);
      return { ...joined, backend: said };
    },
  };
}

const NOTHING: Pick<BackendSaid, 'faults' | 'lost'> = { faults: new Map(), lost: new Map() };

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}
