/** One check of requests over the looks of an evaluation: what it counts, and what it concludes. */
import { comparableRow, type RouteWindow } from '../requests/request-window.ts';
import { CostCells, weighCost } from './cost-evidence.ts';
import type { Doubt } from './doubt.ts';
import { type EffectEvidence, growthExceedsMargin, growthIsProven } from './effect-evidence.ts';
import { ASSUMED_OF_ERRORS, failedOf, failuresPerUnit, weighErrors } from './error-evidence.ts';
import { withFewPods } from './few-baseline-pods.ts';
import type { GrowthBound } from './growth-bound.ts';
import {
  ASSUMED_OF_LATENCY,
  boundOf,
  measureLatency,
  podAlphaOf,
  slowerThan,
  thresholdOf,
  weighLatency,
} from './latency-evidence.ts';
import type { LeftOut } from './leave-one-out.ts';
import { LOOK_MS } from './looks.ts';
import { PodCounts } from './pod-counts.ts';
import type { GateFacts } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';
import { concentrationOf, type RequestArms, type Stratum } from './request-arms.ts';
import { doubtOfRequests, withoutEachPod } from './request-doubt.ts';
import type { CostSettings, ErrorSettings, LatencySettings } from './request-settings.ts';
import {
  type AssumedSpread,
  estimateSpread,
  inflated,
  type PodFactors,
  podFactors,
  type RequestSpread,
} from './request-spread.ts';
import { Restarts, type ThresholdShape } from './restarts.ts';
import { type Counter, stretchOf } from './stretch.ts';
import { doubtOfMost, TrustedRequests } from './trusted-requests.ts';
import type { TrustedPart } from './trusted-windows.ts';
import type { RequestReason, Verdict } from './verdict.ts';
import { doubtOfYouth, ServedStretches } from './young-latency.ts';

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
  /** Of a check of latency: what was beyond the threshold since the evaluation began, and since later starts. */
  readonly restarts: Restarts;
  /** The same of windows that nothing is the matter with. */
  readonly trusted: TrustedRequests;
  /** The same beside baseline pods of the canary's age. */
  readonly besideTwins: TrustedRequests;
  /** The same of all windows, by how much the canary's pods had served. */
  readonly stretches: ServedStretches;
  /** What is left of a growth without each canary pod. */
  leftOut: readonly LeftOut[];
  /** Of a check of latency: what growth since the evaluation began has to reach. */
  readonly bound: GrowthBound | undefined;
  /** How far pods stray, by the blocks that were over when `block` began. */
  spread: { readonly block: number; readonly of: KnownSpread } | undefined;
  /** Of each route: the canary's requests beyond what the baseline's part of them would be. */
  readonly excess: Map<string, number>;
  /** Log latency that pods and routes are counted against: fixed once, so that counts of all blocks are of one kind. */
  threshold: number | undefined;
  /** What was seen before there was a threshold, without its stacks. */
  waiting: Served[];
  evidence: EffectEvidence | undefined;
  verdict: Verdict;
  reason: RequestReason;
  /** Event time of the look since which growth was proven at each, and nothing explained it but its youth. */
  provenSinceMs: number | undefined;
  belowMarginBefore: boolean;
  decidedAtMs: number | undefined;
}

type KnownSpread = RequestSpread & { readonly factors: PodFactors };

/** A block's requests by arm, pod and route. */
export interface Observed {
  /** Number of its block of BLOCK_MS. */
  readonly block: number;
  readonly canary: readonly PodWindow[];
  readonly baseline: readonly PodWindow[];
  readonly strata: readonly Stratum[];
  /** Absent from what was before the evaluation. */
  readonly trusted?: TrustedStrata;
  /** Requests that each canary pod had served by then since it was started; absent where that is not known. */
  readonly served?: number;
}

export interface ComparedStrata {
  readonly strata: readonly Stratum[];
  /** 1/pods of both arms, together. */
  readonly inversePods: number;
}

/** What of a block can be trusted, and what of it is of one age where baseline pods of the canary's age are. */
export interface TrustedStrata extends ComparedStrata {
  readonly part: TrustedPart;
  readonly besideTwins?: ComparedStrata;
}

/** Of a block what is counted. */
type Served = Omit<Observed, 'canary' | 'baseline'> & {
  readonly canary: readonly ServedWindow[];
  readonly baseline: readonly ServedWindow[];
};
type ServedWindow = Pick<PodWindow, 'pod' | 'requests'>;

/** `blocks`: of BLOCK_MS until the gate's deadline. */
export const openCheck = (of: CheckKind, alpha: number, blocks: number): RequestCheckState => ({
  of,
  alpha,
  restarts: new Restarts(of.kind === 'latency' ? blocks : 0),
  trusted: new TrustedRequests(of.kind === 'latency' ? blocks : 0),
  besideTwins: new TrustedRequests(of.kind === 'latency' ? blocks : 0),
  stretches: new ServedStretches(),
  leftOut: [],
  bound: of.kind === 'latency' ? boundOf(alpha, blocks) : undefined,
  spread: undefined,
  counts: { canary: new PodCounts(), baseline: new PodCounts() },
  cells: { canary: new CostCells(), baseline: new CostCells() },
  excess: new Map(),
  threshold: undefined,
  waiting: [],
  evidence: undefined,
  verdict: 'Collecting',
  reason: 'TooFewRequests',
  provenSinceMs: undefined,
  belowMarginBefore: false,
  decidedAtMs: undefined,
});

/** Counts a block, or keeps it until there is a threshold to count it against. */
export function observe(check: RequestCheckState, observed: Observed): void {
  if (check.of.kind === 'cost') {
    for (const window of observed.canary) check.cells.canary.add(observed.block, window);
    for (const window of observed.baseline) check.cells.baseline.add(observed.block, window);
    if (observed.trusted !== undefined) check.trusted.note(observed.trusted.part);
    return;
  }
  const { block, strata, trusted, served } = observed;
  const arms = { canary: servedOf(observed.canary), baseline: servedOf(observed.baseline) };
  check.waiting.push({ block, strata, ...arms, ...(trusted && { trusted }), ...(served && { served }) });
  // Of all history, not of its first block: what a moment did to everybody would stay in the threshold.
  if (check.of.kind === 'latency' && check.threshold === undefined && block >= 0) {
    const rows = check.waiting.flatMap(({ baseline }) => rowsOf(baseline));
    check.threshold = thresholdOf(rows, check.of.settings.quantile);
  }
  const countOf = counterOf(check);
  if (countOf === undefined) return;
  for (const waiting of check.waiting) countBlock(check, waiting, countOf);
  if (check.waiting.length > 1) check.spread = undefined; // blocks that are over are counted only now
  check.waiting = [];
}

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
  const { strata, trusted } = observed;
  if (strata.length === 0) return;
  const stretch = stretchOf(strata, countOf, (key, excess) =>
    check.excess.set(key, (check.excess.get(key) ?? 0) + excess),
  );
  check.restarts.add(observed.block, stretch);
  if (observed.served !== undefined) check.stretches.add(observed.served, stretch);
  if (trusted === undefined) return;
  check.trusted.note(trusted.part);
  const ofTrusted = trusted.strata === strata ? stretch : stretchOf(trusted.strata, countOf);
  check.trusted.add(observed.block, ofTrusted, trusted.inversePods);
  const { besideTwins } = trusted;
  if (besideTwins === undefined) return;
  check.besideTwins.add(observed.block, stretchOf(besideTwins.strata, countOf), besideTwins.inversePods);
}

export interface CheckRound {
  readonly arms: RequestArms;
  readonly facts: GateFacts;
  readonly boundFactor: number;
  /** The same for windows that can be trusted. */
  readonly trustedFactor: number;
  readonly podVarianceFactor: number;
  /** Number of the block of BLOCK_MS that the look is in. */
  readonly block: number;
  /** Blocks of BLOCK_MS that both arms had requests in; parts count. */
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
 * growth proven for LOOK_MS, now above the margin      → Failed
 * proven for the first time, or explained otherwise    → Collecting, with the doubt
 * minimum duration over, upper bound below the margin
 *   and nothing that may have begun later, two looks on → Passed
 * otherwise                                            → Collecting, MarginNotReached
 */
export function decideCheck(check: RequestCheckState, round: CheckRound): void {
  if (check.verdict !== 'Collecting') return;
  concludeLook(check, weigh(check, round), round);
}

/** Evidence of growth with what else explains it. */
function doubted(
  evidence: EffectEvidence | undefined,
  check: RequestCheckState,
  round: CheckRound,
  { shape, spread, perEffect }: { shape: ThresholdShape; spread: KnownSpread; perEffect: number },
): EffectEvidence | undefined {
  check.leftOut = [];
  if (evidence === undefined || !growthIsProven(evidence) || !growthExceedsMargin(evidence)) return evidence;
  const { counts, restarts, trusted, besideTwins } = check;
  const { requests, expected } = restarts.sum;
  const input = { evidence, counts, expectedPart: expected / requests, facts: round.facts };
  const noise = {
    podVariance: spread.podVariance * perEffect ** 2,
    waveVariance: (spread.waveVariance * perEffect ** 2 * round.arms.looks) / round.blocks,
    podBound: spread.factors.bound,
    boundFactor: round.boundFactor,
  };
  const ofTrusted = { ...noise, podBound: spread.factors.trusted, boundFactor: round.trustedFactor };
  check.leftOut = withoutEachPod(input);
  const baselineConcentration = concentrationOf(round.arms.baseline);
  const concentration = concentrationOf(round.arms.canary) + baselineConcentration;
  const { maturity } = round.facts;
  const youth = { stretches: check.stretches, maturity, shape, noise, concentration };
  const doubt =
    doubtOfRequests({
      ...input,
      trusted,
      besideTwins,
      restarts,
      shape,
      noise: ofTrusted,
      baselineConcentration,
    }) ?? (check.of.kind === 'latency' ? doubtOfYouth(evidence, youth) : undefined);
  return withDoubt(evidence, doubt);
}

const withDoubt = (evidence: EffectEvidence, doubt: Doubt | undefined): EffectEvidence =>
  doubt === undefined ? evidence : { ...evidence, doubt };

/** What a check makes of one look's evidence. */
export function concludeLook(
  check: RequestCheckState,
  evidence: EffectEvidence | undefined,
  { unusable, lookAtMs, mayPass }: Pick<CheckRound, 'unusable' | 'lookAtMs' | 'mayPass'>,
): void {
  check.evidence = evidence;
  const { provenSinceMs = lookAtMs, belowMarginBefore } = check;
  check.provenSinceMs = undefined;
  check.belowMarginBefore = false;
  check.reason = unusable ?? 'TooFewRequests';
  if (unusable !== undefined || evidence === undefined) return;
  const grown = GREW[check.of.kind];
  const { onset, effect, half, margin } = evidence;
  const isGrown = growthIsProven(evidence);
  const doubt = isGrown ? (evidence.doubt?.kind ?? (evidence.onePod ? 'OnePod' : undefined)) : undefined;
  const isProven = isGrown && doubt === undefined;
  if (isProven || (isGrown && evidence.doubt?.endsInTime === true)) check.provenSinceMs = provenSinceMs;
  if (isGrown && growthExceedsMargin(evidence)) {
    check.reason = doubt ?? grown;
    // As long as two looks of the controller's, however often it is looked: what chance puts beyond goes as it came.
    if (isProven && lookAtMs - provenSinceMs >= LOOK_MS) settle(check, 'Failed', grown, lookAtMs);
    return;
  }
  check.reason = 'MarginNotReached';
  const mayHaveBegun = onset?.isSuspect === true && growthExceedsMargin(evidence);
  check.belowMarginBefore = !mayHaveBegun && effect + half < margin;
  if (mayPass && belowMarginBefore && check.belowMarginBefore)
    settle(check, 'Passed', 'NoRegression', lookAtMs);
}

const GREW = { latency: 'LatencyGrew', errors: 'ErrorsGrew', cost: 'CostGrew' } as const;

function weigh(check: RequestCheckState, round: CheckRound): EffectEvidence | undefined {
  const { arms, boundFactor, blocks, block, podVarianceFactor } = round;
  const { of, counts, cells, restarts, bound, alpha } = check;
  const concentration = concentrationOf(arms.canary) + concentrationOf(arms.baseline);
  const pods = 1 / concentrationOf(arms.canary);
  switch (of.kind) {
    case 'latency': {
      const { threshold } = check;
      const measure = threshold === undefined ? undefined : measureLatency(arms, of.settings, threshold);
      if (measure === undefined || bound === undefined) return undefined;
      const perUnit = measure.fixed.density;
      const spread = spreadOf(check, block, {
        perUnit,
        assumed: ASSUMED_OF_LATENCY,
        pods,
        podVarianceFactor,
      });
      const { looks } = arms;
      const seen = { measure, counts, restarts, spread, concentration, check: of.settings };
      const evidence = weighLatency({ ...seen, alpha, bound, boundFactor, blocks, looks });
      return doubted(evidence, check, round, { shape: measure.fixed, spread, perEffect: 1 });
    }
    case 'errors': {
      const perUnit = failuresPerUnit(arms);
      if (perUnit === undefined) return undefined;
      const spread = spreadOf(check, block, { perUnit, assumed: ASSUMED_OF_ERRORS, pods, podVarianceFactor });
      const { margin } = of.settings;
      const evidence = weighErrors({
        ...{ arms, counts, spread, concentration, margin, alpha, boundFactor, blocks },
      });
      const shape = { density: 1, shiftOf: (part: number) => part };
      return doubted(evidence, check, round, { shape, spread, perEffect: perUnit });
    }
    case 'cost': {
      const evidence = weighCost({
        cells,
        margin: of.settings.margin,
        alpha,
        boundFactor,
        podVarianceFactor,
      });
      return evidence && withDoubt(evidence, doubtOfMost(check.trusted));
    }
  }
}

const podAlpha = ({ of, alpha }: RequestCheckState): number =>
  of.kind === 'latency' ? podAlphaOf(alpha) : alpha;

/** What is assumed of pods, and known of the canary's: `pods` of one weight. */
export interface SpreadTerms {
  readonly perUnit: number;
  readonly assumed: AssumedSpread;
  readonly pods: number;
  readonly podVarianceFactor?: number;
}

/** Estimated anew when a block is over: a part of one strays further than a whole one. */
export function spreadOf(check: RequestCheckState, block: number, terms: SpreadTerms): KnownSpread {
  if (check.spread?.block === block) return check.spread.of;
  const { baseline, canary } = check.counts;
  const estimated = estimateSpread([baseline, canary], terms.perUnit, terms.assumed, { before: block });
  const known = withFewPods(estimated, terms.assumed, baseline);
  const spread = inflated(known, terms.podVarianceFactor);
  const of = { ...spread, factors: podFactors(spread, podAlpha(check), terms.pods) };
  check.spread = { block, of };
  return of;
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
