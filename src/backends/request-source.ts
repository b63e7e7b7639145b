/** Where gates may read the requests of pods from besides what agents push. */
import type { ScrapedWindow } from '../requests/scraped-window.ts';

export interface RequestSource {
  /** As people know it, and where it is. */
  readonly name: string;
  /** Changes with what windows may depend on. */
  readonly id: string;
  /** Windows that end within the span, of those of these pods it knows. Throws a BackendError. */
  windows(podUids: readonly string[], span: ReadSpan): Promise<ReadRequests>;
}

export interface ReadSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ReadRequests {
  /** By `podUid/container`, in order of time; none overlaps another of its container. */
  readonly windows: ReadonlyMap<string, readonly ScrapedWindow[]>;
  /** What was found wrong with its answers, and how often; what was read twice, twice. */
  readonly faults: ReadonlyMap<ReadFault, number>;
}

/** Samples that are none, or of the future; series of pods that nobody asked for, or of none; windows that two scrapers have. */
export type ReadFault = 'Malformed' | 'Future' | 'Foreign' | 'Doubled';
