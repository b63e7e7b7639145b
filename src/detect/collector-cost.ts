import type { NodeSums } from './node-sums.ts';
import { studentQuantile } from './quantiles.ts';
import type { StackIndex } from './stack-index.ts';

/** Samples of the collector's own threads and of everything, by pod. */
export type CollectorCounts = Map<string, { collector: number; all: number }>;

/** What a pod had in a block. */
export function addCollector(counts: CollectorCounts, pod: string, sums: NodeSums, index: StackIndex): void {
  const ofPod = counts.get(pod) ?? { collector: 0, all: 0 };
  counts.set(pod, ofPod);
  const { stacks } = sums;
  for (let nth = 0; nth < stacks.length; nth++) {
    const stack = stacks[nth] ?? 0;
    const count = sums.ofStack[stack] ?? 0;
    ofPod.all += count;
    if (index.isOfCollector(stack)) ofPod.collector += count;
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
