import type { PodWindow } from './pod-window.ts';
import { studentQuantile } from './quantiles.ts';
import type { StackIndex } from './stack-index.ts';
import type { NumberedStacks } from './tally.ts';

/** Samples of the collector's own threads and of everything, by pod. */
export type CollectorCounts = Map<string, { collector: number; all: number }>;

/** `numbered`: the stacks of the windows, one window after the other. */
export function addCollector(
  counts: CollectorCounts,
  windows: readonly PodWindow[],
  numbered: NumberedStacks,
  index: StackIndex,
): void {
  let at = 0;
  for (const { pod, stacks } of windows) {
    const ofPod = counts.get(pod) ?? { collector: 0, all: 0 };
    counts.set(pod, ofPod);
    for (const end = at + stacks.length; at < end; at++) {
      const count = numbered.counts[at] ?? 0;
      ofPod.all += count;
      if (index.isOfCollector(numbered.numbers[at] ?? -1)) ofPod.collector += count;
    }
  }
}

const ALPHA = 0.001; // of one look; a flag changes no verdict
const ASSUMED_POD_SD = 0.1; // of the collector's share, as a part of it: heaps of one version fill unlike each other

/**
 * Whether the canary's collector takes more of its CPU, by more than the margin and by more than pods of one version differ.
 * It collects more for a smaller heap, another collector, or more garbage; with the same work it is no function's cost.
 */
export function collectsMore(canary: CollectorCounts, baseline: CollectorCounts, margin: number): boolean {
  const arms = [canary, baseline].map(shareOf);
  const [ofCanary, ofBaseline] = arms;
  if (ofCanary === undefined || ofBaseline === undefined) return false;
  if (ofCanary.pods < 2 || ofBaseline.pods < 2) return false;
  const freedom = ofCanary.pods + ofBaseline.pods - 2;
  const pooled = (ofCanary.squares + ofBaseline.squares) / freedom;
  const variance = Math.max(pooled, (ASSUMED_POD_SD * ofBaseline.mean) ** 2);
  const error = Math.sqrt(variance * (1 / ofCanary.pods + 1 / ofBaseline.pods));
  const growth = ofCanary.mean - ofBaseline.mean;
  return growth > margin && growth > studentQuantile(1 - ALPHA, freedom) * error;
}

function shareOf(counts: CollectorCounts) {
  const shares = [...counts.values()]
    .filter(({ all }) => all > 0)
    .map(({ collector, all }) => collector / all);
  const mean = shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  return { pods: shares.length, mean, squares };
}
