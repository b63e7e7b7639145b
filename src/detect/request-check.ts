/** One check of requests over the looks of an evaluation: what it counts, and what it concludes. */
import { comparableRow, type RouteWindow } from '../requests/request-window.ts';
import { CostCells, weighCost } from './cost-evidence.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { failedOf, weighErrors } from './error-evidence.ts';
import { slowerThan, thresholdOf, weighLatency } from './latency-evidence.ts';
import { type Counted, PodCounts } from './pod-counts.ts';
import type { PodWindow } from './pod-window.ts';
import type { RequestArms, Stratum } from './request-arms.ts';
import type { CostSettings, ErrorSettings, LatencySettings } from './request-settings.ts';
import type { RequestReason, Verdict } from './verdict.ts';

export type CheckKind =
  | { readonly kind: 'latency'; readonly settings: LatencySettings }
  | { readonly kind: 'errors'; readonly settings: ErrorSettings }
  | { readonly kind: 'cost'; readonly settings: CostSettings };

export interface RequestCheckState {
  readonly of: CheckKind;
  readonly alpha: number;
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  /** Of a check of CPU, what there is instead of counts. */
  readonly cells: { readonly canary: CostCells; readonly baseline: CostCells };
  /** Of each route: the canary's requests beyond what the baseline's part of them would be. */
  readonly excess: Map<string, number>;
  /** Log latency that pods and routes are counted against: fixed once, so that counts of all blocks are of one kind. */
  threshold: number | undefined;
  /** What was seen before there was a threshold, without its stacks. */
  waiting: Served[];
  evidence: EffectEvidence | undefined;
  verdict: Verdict;
  reason: RequestReason;
  provenBefore: boolean;
  decidedAtMs: number | undefined;
}

/** A block's requests by arm, pod and route. */
export interface Observed {
  /** Number of its block of BLOCK_MS. */
  readonly block: number;
  readonly canary: readonly PodWindow[];
  readonly baseline: readonly PodWindow[];
  readonly strata: readonly Stratum[];
}

/** Of a block what is counted. */
type Served = Omit<Observed, 'canary' | 'baseline'> & {
  readonly canary: readonly ServedWindow[];
  readonly baseline: readonly ServedWindow[];
};
type ServedWindow = Pick<PodWindow, 'pod' | 'requests'>;

export const openCheck = (of: CheckKind, alpha: number): RequestCheckState => ({
  of,
  alpha,
  counts: { canary: new PodCounts(), baseline: new PodCounts() },
  cells: { canary: new CostCells(), baseline: new CostCells() },
  excess: new Map(),
  threshold: undefined,
  waiting: [],
  evidence: undefined,
  verdict: 'Collecting',
  reason: 'TooFewRequests',
  provenBefore: false,
  decidedAtMs: undefined,
});

/** Counts a block, or keeps it until there is a threshold to count it against. */
export function observe(check: RequestCheckState, observed: Observed): void {
  if (check.of.kind === 'cost') {
    for (const window of observed.canary) check.cells.canary.add(observed.block, window);
    for (const window of observed.baseline) check.cells.baseline.add(observed.block, window);
    return;
  }
  const { block, strata } = observed;
  const served = { block, strata, canary: servedOf(observed.canary), baseline: servedOf(observed.baseline) };
  check.waiting.push(served);
  if (check.of.kind === 'latency' && check.threshold === undefined) {
    const rows = check.waiting.flatMap(({ baseline }) => rowsOf(baseline));
    check.threshold = thresholdOf(rows, check.of.settings.quantile);
  }
  const countOf = counterOf(check);
  if (countOf === undefined) return;
  for (const waiting of check.waiting) countBlock(check, waiting, countOf);
  check.waiting = [];
}

type Counter = (rows: readonly RouteWindow[]) => Counted;

function counterOf({ of, threshold }: RequestCheckState): Counter | undefined {
  if (of.kind !== 'latency') return failedOf;
  return threshold === undefined ? undefined : (rows) => slowerThan(rows, threshold);
}

const servedOf = (windows: readonly PodWindow[]): ServedWindow[] =>
  windows.map(({ pod, requests }) => ({
    pod,
    ...(requests && { requests: { ...requests, routes: requests.routes.map(comparableRow) } }),
  }));

const rowsOf = (windows: readonly ServedWindow[]): RouteWindow[] =>
  windows.flatMap(({ requests }) => requests?.routes ?? []);

function countBlock(check: RequestCheckState, observed: Served, countOf: Counter): void {
  for (const arm of ['canary', 'baseline'] as const) {
    for (const { pod, requests } of observed[arm]) {
      check.counts[arm].add(pod, observed.block, countOf(requests?.routes ?? []));
    }
  }
  for (const { key, canary, baseline } of observed.strata) {
    const ofCanary = countOf([canary]);
    const ofBaseline = countOf([baseline]);
    if (ofBaseline.requests === 0) continue;
    const expected = (ofCanary.requests * ofBaseline.counted) / ofBaseline.requests;
    check.excess.set(key, (check.excess.get(key) ?? 0) + ofCanary.counted - expected);
  }
}

export interface CheckRound {
  readonly arms: RequestArms;
  readonly boundFactor: number;
  readonly podVarianceFactor: number;
  readonly blocks: number;
  readonly lookAtMs: number;
  /** Nothing passes before. */
  readonly mayPass: boolean;
  /** Too much was lost, or too few pods served, to say anything. */
  readonly unusable: RequestReason | undefined;
}

/**
 * situation                                            → verdict of the look
 * unusable, or too few requests                        → Collecting
 * proven growth above the margin, two looks on         → Failed
 * the same, for the first time, or only one pod's      → Collecting
 * minimum duration over, upper bound below the margin  → Passed
 * otherwise                                            → Collecting, MarginNotReached
 */
export function decideCheck(check: RequestCheckState, round: CheckRound): void {
  if (check.verdict !== 'Collecting') return;
  check.evidence = weigh(check, round);
  const { evidence } = check;
  const provenBefore = check.provenBefore;
  check.provenBefore = false;
  check.reason = round.unusable ?? 'TooFewRequests';
  if (round.unusable !== undefined || evidence === undefined) return;
  const grown = GREW[check.of.kind];
  // The test counts requests beyond a threshold; where the tail is so thin there that it is no measure of time, the interval tells.
  const isGrown = evidence.isProven && evidence.effect - evidence.half > 0;
  if (isGrown && evidence.effect > evidence.margin) {
    check.provenBefore = !evidence.onePod;
    check.reason = evidence.onePod ? 'OnePod' : grown;
    if (!evidence.onePod && provenBefore) settle(check, 'Failed', grown, round.lookAtMs);
    return;
  }
  check.reason = 'MarginNotReached';
  if (round.mayPass && evidence.effect + evidence.half < evidence.margin) {
    settle(check, 'Passed', 'NoRegression', round.lookAtMs);
  }
}

const GREW = { latency: 'LatencyGrew', errors: 'ErrorsGrew', cost: 'CostGrew' } as const;

function weigh(check: RequestCheckState, round: CheckRound): EffectEvidence | undefined {
  const { arms, boundFactor, podVarianceFactor, blocks } = round;
  const { of, counts, cells, alpha } = check;
  const common = { alpha, boundFactor, podVarianceFactor };
  switch (of.kind) {
    case 'latency':
      return weighLatency({ arms, counts, check: of.settings, ...common, blocks });
    case 'errors':
      return weighErrors({ arms, counts, margin: of.settings.margin, ...common, blocks });
    case 'cost':
      return weighCost({ cells, margin: of.settings.margin, ...common });
  }
}

function settle(check: RequestCheckState, verdict: Verdict, reason: RequestReason, atMs: number): void {
  check.verdict = verdict;
  check.reason = reason;
  check.decidedAtMs = atMs;
}

/** The route with most of the excess; undefined while none has any. */
export function worstRoute({ excess }: RequestCheckState): string | undefined {
  let worst: string | undefined;
  let most = 0;
  for (const [key, count] of excess) {
    if (count <= most) continue;
    most = count;
    worst = key;
  }
  return worst;
}
