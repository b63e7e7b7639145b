/**
 * Both arms' requests as if the baseline had served the canary's: in each block and route the baseline is weighted to the
 * canary's number of requests. What a moment did to everybody, and a mix of routes that differs, cancel.
 */
import { addSketch, createHistogram, type LatencyHistogram } from '../requests/latency-histogram.ts';
import { countOf } from '../requests/latency-sketch.ts';
import {
  comparableRow,
  failuresOf,
  mergeRows,
  type RouteWindow,
  requestsIn,
  requestsOf,
} from '../requests/request-window.ts';
import { SharedRoutes } from '../requests/shared-routes.ts';
import type { ArmWindows, Block } from './looks.ts';
import type { PodWindow } from './pod-window.ts';

/** What strata add up to: all of them, or one route's. */
export interface StratumSums {
  readonly canary: ServedSums;
  /** Weighted: its numbers are those of requests like the canary's. */
  readonly baseline: ServedSums;
  /** Σ (canary's requests)² / baseline's, over blocks and routes: the error of the weighted baseline. */
  answeredSquares: number;
  requestSquares: number;
}

export interface ServedSums {
  /** Of requests that were answered, and not by a failure. */
  readonly latency: LatencyHistogram;
  /** How long requests without an answer had waited. */
  readonly waited: LatencyHistogram;
  answered: number;
  requests: number;
  failures: number;
}

export interface RequestArms extends StratumSums {
  readonly routes: SharedRoutes;
  readonly canary: RequestArm;
  readonly baseline: RequestArm;
  /** Looks that both arms had requests in. */
  looks: number;
  /** Requests by route, unweighted. */
  readonly mix: Map<string, { canary: number; baseline: number }>;
}

export interface RequestArm extends ServedSums {
  /** Exchanges lost on the way, and what came, both unweighted. */
  lost: number;
  seen: number;
  /** Requests of each pod, unweighted. */
  readonly pods: Map<string, number>;
}

const createSums = (): ServedSums => ({
  latency: createHistogram(),
  waited: createHistogram(),
  ...{ answered: 0, requests: 0, failures: 0 },
});

export const createStratumSums = (): StratumSums => ({
  canary: createSums(),
  baseline: createSums(),
  ...{ answeredSquares: 0, requestSquares: 0 },
});

const createArm = (): RequestArm => ({ ...createSums(), lost: 0, seen: 0, pods: new Map() });

export const createRequestArms = (): RequestArms => ({
  routes: new SharedRoutes(),
  canary: createArm(),
  baseline: createArm(),
  ...{ answeredSquares: 0, requestSquares: 0, looks: 0 },
  mix: new Map(),
});

/** One route in both arms, in one block. */
export interface Stratum {
  readonly key: string;
  readonly canary: RouteWindow;
  readonly baseline: RouteWindow;
}

/** Strata of some windows of a block that was added. */
export const strataWithin = ({ routes }: RequestArms, { baseline, canary }: ArmWindows): readonly Stratum[] =>
  strataOf(routes.merge(rowsOf(canary)), routes.merge(rowsOf(baseline)));

/** Adds a block and returns its strata; none where an arm had no requests: there was nothing to compare. */
export function addRequests(arms: RequestArms, block: Block): readonly Stratum[] {
  const baseline = rowsOf(block.baseline);
  const canary = rowsOf(block.canary);
  arms.routes.learn([...baseline, ...canary]);
  const strata = strataOf(arms.routes.merge(canary), arms.routes.merge(baseline));
  if (strata.length === 0) return strata;
  for (const stratum of strata) {
    addToMix(arms, stratum);
    addStratum(arms, stratum);
  }
  countPods(arms.canary, block.canary);
  countPods(arms.baseline, block.baseline);
  arms.looks += 1;
  return strata;
}

const rowsOf = (windows: readonly PodWindow[]): RouteWindow[] =>
  windows.flatMap(({ requests }) => requests?.routes.map(comparableRow) ?? []);

// With fewer baseline requests a route's own tail is hardly known; such routes are compared together.
const FEWEST_OF_A_ROUTE = 30;
export const RARE = 'rare routes';

function strataOf(canary: Map<string, RouteWindow>, baseline: Map<string, RouteWindow>): Stratum[] {
  const strata: Stratum[] = [];
  const rare: { canary?: RouteWindow; baseline?: RouteWindow } = {};
  for (const key of new Set([...canary.keys(), ...baseline.keys()])) {
    const ofCanary = canary.get(key);
    const ofBaseline = baseline.get(key);
    if (
      ofCanary !== undefined &&
      ofBaseline !== undefined &&
      countOf(ofBaseline.latency) >= FEWEST_OF_A_ROUTE
    ) {
      strata.push({ key, canary: ofCanary, baseline: ofBaseline });
      continue;
    }
    if (ofCanary !== undefined) rare.canary = rare.canary ? mergeRows(rare.canary, ofCanary) : ofCanary;
    if (ofBaseline !== undefined)
      rare.baseline = rare.baseline ? mergeRows(rare.baseline, ofBaseline) : ofBaseline;
  }
  if (rare.canary !== undefined && rare.baseline !== undefined) {
    strata.push({ key: RARE, canary: rare.canary, baseline: rare.baseline });
  }
  return strata;
}

function addToMix(arms: RequestArms, { key, canary, baseline }: Stratum): void {
  const mix = arms.mix.get(key) ?? { canary: 0, baseline: 0 };
  arms.mix.set(key, mix);
  mix.canary += requestsOf(canary);
  mix.baseline += requestsOf(baseline);
}

export function addStratum(arms: StratumSums, { canary, baseline }: Stratum): void {
  const answered = countOf(canary.latency);
  const ofBaseline = countOf(baseline.latency);
  if (answered > 0 && ofBaseline > 0) {
    const weight = answered / ofBaseline;
    addLatencies(arms.canary, canary, 1);
    addLatencies(arms.baseline, baseline, weight);
    arms.answeredSquares += answered * weight;
  }
  const requests = requestsOf(canary);
  const weight = requests / requestsOf(baseline);
  arms.canary.requests += requests;
  arms.canary.failures += failuresOf(canary);
  arms.baseline.requests += requests;
  arms.baseline.failures += weight * failuresOf(baseline);
  arms.requestSquares += requests * weight;
}

/** Adds what two sums of the same kind have. */
export function addSums(to: StratumSums, from: StratumSums): void {
  for (const arm of ['canary', 'baseline'] as const) {
    for (const field of ['latency', 'waited'] as const) {
      const sum = to[arm][field];
      from[arm][field].forEach((count, key) => {
        sum[key] = (sum[key] ?? 0) + count;
      });
    }
    to[arm].answered += from[arm].answered;
    to[arm].requests += from[arm].requests;
    to[arm].failures += from[arm].failures;
  }
  to.answeredSquares += from.answeredSquares;
  to.requestSquares += from.requestSquares;
}

function addLatencies(arm: ServedSums, row: RouteWindow, weight: number): void {
  addSketch(arm.latency, row.latency, weight);
  addSketch(arm.waited, row.waited, weight);
  arm.answered += weight * countOf(row.latency);
}

function countPods(arm: RequestArm, windows: readonly PodWindow[]): void {
  for (const { pod, requests } of windows) {
    if (requests === undefined) continue;
    const came = requestsIn(requests.routes);
    arm.lost += requests.lost;
    arm.seen += came;
    if (came > 0) arm.pods.set(pod, (arm.pods.get(pod) ?? 0) + came);
  }
}

/** Σ of squared pod weights: 1/pods when all serve the same, more when one serves most. */
export function concentrationOf({ pods }: RequestArm): number {
  let whole = 0;
  let squares = 0;
  for (const requests of pods.values()) {
    whole += requests;
    squares += requests ** 2;
  }
  return whole > 0 ? squares / whole ** 2 : 1;
}
