/** A kind of simulated gate over requests, and what is the same for all gates of it. */
import { boundFactor } from '../../src/detect/bound-factor.ts';
import { BOUND_ALPHA } from '../../src/detect/node-evidence.ts';
import type { LatencySettings } from '../../src/detect/request-settings.ts';
import { Beyond, type Change, logQuantileOf } from './latency-model.ts';

export interface LatencyCell {
  readonly podSd: number;
  readonly requestsPerSecond: number;
  readonly baselinePods: number;
  readonly canaryPods: number;
  /** Part of all requests that the canary serves. */
  readonly canaryPart: number;
  /** Part of a pod's windows in which a twentieth of its requests takes 150 ms more, and ten times as many fail. */
  readonly bursts: number;
  /** Log latency that canary pods gain evenly over the gate, as heaps grow. */
  readonly drift: number;
  /** Part that young canary pods take more at first, gone by a factor of e every 45 s; their first two minutes are left out. */
  readonly warmUp: number;
  readonly change: Change;
  /** Canary pods that are slower for themselves, and by how much log latency. */
  readonly badPods?: { readonly pods: number; readonly slower: number };
  /** Second of the gate at which the change begins. */
  readonly fromS: number;
  /** Blocks of the baseline before the gate, of two minutes. */
  readonly history: number;
  readonly quantiles: readonly number[];
  /** Tolerated growth of each quantile, as a part of it; 2 ms are always. */
  readonly margin: number;
  readonly lookS: number;
  readonly minS: number;
  readonly deadlineS: number;
  /** Nothing is decided: what the numbers of the highest quantile say is compared with the truth. */
  readonly isOnlyMeasured?: boolean;
}

const ABSOLUTE_MARGIN_MS = 2;

/** What is the same for all gates of a cell: thresholds, and the parts of requests beyond them. */
export interface CellModel {
  readonly cell: LatencyCell;
  readonly checks: readonly LatencySettings[];
  /** Of each check, the baseline's quantile without any noise. */
  readonly baseline: readonly Beyond[];
  /** Of the canary once it has changed: ascending, the same thresholds and its own quantiles, each once. */
  readonly canary: readonly Beyond[];
  /** Of each check, where its threshold and the canary's own quantile are in `canary`. */
  readonly places: readonly { readonly threshold: number; readonly own: number }[];
  readonly boundFactor: number;
  /** Growth of the highest quantile, in log latency. */
  readonly truth: number;
}

export function modelOf(cell: LatencyCell): CellModel {
  const margins = { relativeMargin: cell.margin, absoluteMarginMs: ABSOLUTE_MARGIN_MS, required: false };
  const checks = cell.quantiles.map((quantile) => ({ quantile, ...margins }));
  const thresholds = cell.quantiles.map((quantile) => logQuantileOf(quantile, {}));
  const own = cell.quantiles.map((quantile) => logQuantileOf(quantile, cell.change));
  const edges = [...new Set([...thresholds, ...own])].sort((a, b) => a - b);
  return {
    cell,
    checks,
    baseline: thresholds.map((logMs) => new Beyond(logMs, {})),
    canary: edges.map((logMs) => new Beyond(logMs, cell.change)),
    places: thresholds.map((threshold, at) => ({
      threshold: edges.indexOf(threshold),
      own: edges.indexOf(own[at] ?? threshold),
    })),
    boundFactor: boundFactor(BOUND_ALPHA, cell.deadlineS / cell.minS),
    truth: (own.at(-1) ?? 0) - (thresholds.at(-1) ?? 0),
  };
}
