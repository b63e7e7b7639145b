import { failuresOf, type RouteWindow, requestsIn } from '../requests/request-window.ts';
import { shareScore } from './deviance.ts';
import { logGrowthEValue } from './e-process.ts';
import { DETECTION_POWER, type EffectEvidence, onePodCarries } from './effect-evidence.ts';
import type { Counted, PodCounts } from './pod-counts.ts';
import { normalQuantile } from './quantiles.ts';
import type { StratumSums } from './request-arms.ts';
import type { PodFactors, RequestSpread } from './request-spread.ts';

// Errors come in bursts and from single pods (a pool, a connection): a third more or less without any change.
export const ASSUMED_OF_ERRORS = { podSd: 0.3, leastPodSd: 0.2, waveSd: 0.5 };
const FEWEST_FAILURES = 5; // in the canary, before a growth can be proven
export const FEWEST_REQUESTS = 300; // in the canary, before anything is said
const HALVINGS = 30;

export interface ErrorLook {
  readonly arms: StratumSums;
  readonly counts: { readonly canary: PodCounts; readonly baseline: PodCounts };
  readonly spread: RequestSpread & { readonly factors: PodFactors };
  readonly concentration: number;
  readonly margin: number;
  readonly alpha: number;
  readonly boundFactor: number;
  readonly blocks: number;
}

/** Change of the failed part for a unit of log-odds, where both arms fail alike; undefined while there are too few requests. */
export function failuresPerUnit({ canary, baseline }: StratumSums): number | undefined {
  if (canary.requests < FEWEST_REQUESTS) return undefined;
  const part = (canary.failures + baseline.failures) / (2 * canary.requests);
  return part * (1 - part);
}

/** Weighs growth of the failed part of requests. */
export function weighErrors(look: ErrorLook): EffectEvidence {
  const { arms, counts, margin, blocks, spread, concentration } = look;
  const { requests, failures } = arms.canary;
  const canary = failures / requests;
  const baseline = arms.baseline.failures / requests;
  const podVariance = spread.podVariance * concentration;
  const waves = (spread.waveVariance * concentration) / blocks;
  const logEOf = (failed: number): number => {
    const score = shareScore(ofSize(failed / requests, requests), ofSize(baseline, baselineSize(arms)));
    if (score.z <= 0) return Number.NEGATIVE_INFINITY;
    const widened = 1 + score.information * waves;
    const test = podVariance * spread.factors.test ** 2;
    return logGrowthEValue(score.z / Math.sqrt(widened), score.information / widened, test);
  };
  const weigh = (failed: number): boolean => logEOf(failed) >= -Math.log(look.alpha);
  const logE = logEOf(failures);
  const sizes = { canary: requests, baseline: baselineSize(arms) };
  const binomialOf = (share: number, size: number): number => {
    const atLeast = Math.min(1 - 1 / size, Math.max(1 / size, share)); // one that never failed still has a variance
    return atLeast * (1 - atLeast);
  };
  const inCanary = binomialOf(canary, sizes.canary);
  const inBaseline = binomialOf(baseline, sizes.baseline);
  const noise = {
    ofCanary: inCanary / sizes.canary,
    ofBaseline: inBaseline / sizes.baseline,
    perVariance: ((inCanary + inBaseline) / 2) ** 2,
  };
  const sampling = noise.ofCanary + noise.ofBaseline + waves * noise.perVariance;
  const pods = podVariance * noise.perVariance;
  return {
    effect: canary - baseline,
    half: Math.sqrt(spread.factors.bound ** 2 * pods + look.boundFactor ** 2 * sampling),
    margin,
    isProven: failures >= FEWEST_FAILURES && logE >= -Math.log(look.alpha),
    logE,
    noise,
    get detectable() {
      return detectableGrowth(baseline, requests, weigh); // a search: only for who reads it
    },
    baseline,
    canary,
    assumedSpread: spread.assumed,
    onePod: onePodCarries(counts.canary.totals(), baseline),
  };
}

const ofSize = (share: number, size: number) => ({ samples: share * size, rest: (1 - share) * size });

/** As many requests as would know the baseline's part as well as the weighted ones do. */
const baselineSize = ({ canary, requestSquares }: StratumSums): number =>
  requestSquares > 0 ? canary.requests ** 2 / requestSquares : 1;

function detectableGrowth(baseline: number, requests: number, weigh: (failed: number) => boolean): number {
  let low = 0;
  let high = 1 - baseline;
  for (let step = 0; step < HALVINGS; step++) {
    const growth = (low + high) / 2;
    const failed = (baseline + growth) * requests;
    const unlucky = failed - normalQuantile(DETECTION_POWER) * Math.sqrt(failed);
    if (unlucky >= FEWEST_FAILURES && weigh(unlucky)) high = growth;
    else low = growth;
  }
  return high;
}

export const failedOf = (rows: readonly RouteWindow[]): Counted => ({
  requests: requestsIn(rows),
  counted: rows.reduce((sum, row) => sum + failuresOf(row), 0),
});
