/** One check of requests over the looks of an evaluation: what it counts, and what it concludes. */
import type { RouteWindow } from '../requests/request-window.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { failedOf, weighErrors } from './error-evidence.ts';
import { slowerThan, thresholdOf, weighLatency } from './latency-evidence.ts';
import { type Counted, PodCounts } from './pod-counts.ts';
import type { PodWindow } from './pod-window.ts';
import type { RequestArms, Stratum } from './request-arms.ts';
import type { ErrorSettings, LatencySettings } from './request-settings.ts';
import type { RequestReason, Verdict } from './verdict.ts';

export type CheckKind =
  | { readonly kind: 'latency'; readonly settings: LatencySettings }
  | { readonly kind: 'errors'; readonly settings: ErrorSettings };

export interface RequestCheckState {
  readonly of: CheckKind;
  readonly alpha: number;
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  /** Of each route: the canary's requests beyond what the baseline's part of them would be. */
  readonly excess: Map<string, number>;
  /** Log latency that pods and routes are counted against: fixed once, so that counts of all blocks are of one kind. */
  threshold: number | undefined;
  /** Rows seen before there was a threshold. */
  waiting: Observed[];
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

export const openCheck = (of: CheckKind, alpha: number): RequestCheckState => ({
  of,
  alpha,
  counts: { canary: new PodCounts(), baseline: new PodCounts() },
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
  check.waiting.push(observed);
  const countOf = counterOf(check);
  if (countOf === undefined) return;
  for (const waiting of check.waiting) countBlock(check, waiting, countOf);
  check.waiting = [];
}

type Counter = (rows: readonly RouteWindow[]) => Counted;

function counterOf(check: RequestCheckState): Counter | undefined {
  if (check.of.kind === 'errors') return failedOf;
  const rows = check.threshold === undefined ? check.waiting.flatMap(({ baseline }) => rowsOf(baseline)) : [];
  check.threshold ??= thresholdOf(rows, check.of.settings.quantile);
  const { threshold } = check;
  return threshold === undefined ? undefined : (counted) => slowerThan(counted, threshold);
}

const rowsOf = (windows: readonly PodWindow[]): RouteWindow[] =>
  windows.flatMap(({ requests }) => requests?.routes ?? []);

function countBlock(check: RequestCheckState, observed: Observed, countOf: Counter): void {
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
  const { arms, boundFactor, blocks } = round;
  const common = { arms, counts: check.counts, alpha: check.alpha, boundFactor, blocks };
  check.evidence =
    check.of.kind === 'latency'
      ? weighLatency({ ...common, check: check.of.settings })
      : weighErrors({ ...common, margin: check.of.settings.margin });
  const { evidence } = check;
  const provenBefore = check.provenBefore;
  check.provenBefore = false;
  check.reason = round.unusable ?? 'TooFewRequests';
  if (round.unusable !== undefined || evidence === undefined) return;
  const grown: RequestReason = check.of.kind === 'latency' ? 'LatencyGrew' : 'ErrorsGrew';
  if (evidence.isProven && evidence.effect > evidence.margin) {
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
