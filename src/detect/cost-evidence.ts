import { requestsIn } from '../requests/request-window.ts';
import { type EffectEvidence, onePodCarries, weighGrowth } from './effect-evidence.ts';
import { LOOK_MS } from './looks.ts';
import { type Counted, PodCounts } from './pod-counts.ts';
import type { PodWindow } from './pod-window.ts';
import { BLOCK_MS, estimateSpread, inflated, podFactors } from './request-spread.ts';

/** CPU and requests of one pod in one block. */
interface Cell {
  cpuUsec: number;
  requests: number;
  timeMs: number;
}

/** CPU and requests of an arm's pods, by block of BLOCK_MS; blocks before the evaluation have negative numbers. */
export class CostCells {
  readonly #pods = new Map<string, Map<number, Cell>>();

  add(block: number, { pod, requests, cpuUsec, startMs, endMs }: PodWindow): void {
    if (requests?.state !== 'Seen') return; // CPU whose requests are not known has nothing to be divided by
    const blocks = this.#pods.get(pod) ?? new Map<number, Cell>();
    this.#pods.set(pod, blocks);
    const cell = blocks.get(block) ?? { cpuUsec: 0, requests: 0, timeMs: 0 };
    blocks.set(block, cell);
    cell.cpuUsec += cpuUsec;
    cell.requests += requestsIn(requests.routes);
    cell.timeMs += endMs - startMs;
  }

  /** Each pod's cells, with the number of their block. */
  *cells(): Generator<readonly [pod: string, block: number, cell: Readonly<Cell>]> {
    for (const [pod, blocks] of this.#pods) {
      for (const [block, cell] of blocks) yield [pod, block, cell];
    }
  }
}

// Two pods of one service take up to a few per cent more or less for the same work: compiled code, neighbours, caches.
export const ASSUMED_OF_COST = { podSd: 0.03, leastPodSd: 0.01, waveSd: 0.05 };
// What a service burns without any request (timers, polling, collections of caches): 10 ± 15 % until its own pods tell.
const FIXED_PART = { mean: 0.1, sd: 0.15 };
export const FEWEST_REQUESTS = 1_000; // in the canary

export interface CostLook {
  readonly cells: { readonly canary: CostCells; readonly baseline: CostCells };
  readonly margin: number;
  readonly alpha: number;
  readonly boundFactor: number;
  readonly podVarianceFactor?: number;
}

/**
 * Weighs growth of CPU a request. A pod's CPU is a fixed part and one that goes with its requests; a canary with another load than a
 * baseline pod is compared with what the baseline would burn at that load, and the error of knowing that is paid for.
 */
export function weighCost(look: CostLook): EffectEvidence | undefined {
  const { cells, margin, alpha, boundFactor } = look;
  const canary = sumOf(cells.canary);
  const baseline = sumOf(cells.baseline);
  if (canary.requests < FEWEST_REQUESTS || !(baseline.cpuUsec > 0) || !(baseline.requests > 0))
    return undefined;
  const fixed = fixedPart(cells.baseline);
  const counts = {
    canary: againstExpected(cells.canary, baseline, fixed.part),
    baseline: againstExpected(cells.baseline, baseline, fixed.part),
  };
  const estimated = estimateSpread([counts.baseline, counts.canary], 1, ASSUMED_OF_COST, {
    binomialOf: () => 0,
  });
  const spread = inflated(estimated, look.podVarianceFactor);
  const [inCanary, inBaseline] = [counts.canary.totals(), counts.baseline.totals()].map(weightsOf);
  if (inCanary === undefined || inBaseline === undefined || inBaseline.part <= 0) return undefined;
  const concentration = inCanary.concentration + inBaseline.concentration;
  const load = canary.requests / canary.timeMs / (baseline.requests / baseline.timeMs);
  const bySlope = (fixed.sd * (1 - load)) / (fixed.part + (1 - fixed.part) * load);
  const blocks = Math.max(LOOK_MS, inCanary.pods > 0 ? canary.timeMs / inCanary.pods : 0) / BLOCK_MS;
  const noise = {
    sampling: (spread.waveVariance * concentration) / blocks + bySlope ** 2,
    pods: spread.podVariance * concentration,
    factors: podFactors(spread, alpha, 1 / inCanary.concentration),
  };
  const effect = Math.log(inCanary.part / inBaseline.part);
  const perRequest = canary.cpuUsec / canary.requests / 1_000;
  const { half, isProven, detectable, logE } = weighGrowth(effect, noise, { alpha, boundFactor });
  return {
    ...{ effect, half, isProven, detectable, logE: logE + Math.LN2 }, // of growth alone, not of any change
    margin: Math.log1p(margin),
    baseline: perRequest / Math.exp(effect),
    canary: perRequest,
    assumedSpread: spread.assumed,
    onePod: onePodCarries(counts.canary.totals(), inBaseline.part),
  };
}

/** Since the evaluation began. */
function sumOf(cells: CostCells): Cell {
  const sum = { cpuUsec: 0, requests: 0, timeMs: 0 };
  for (const [, block, cell] of cells.cells()) {
    if (block < 0) continue;
    sum.cpuUsec += cell.cpuUsec;
    sum.requests += cell.requests;
    sum.timeMs += cell.timeMs;
  }
  return sum;
}

/**
 * The part of a baseline pod's CPU at its mean load that no request causes: the intercept of CPU over requests, as far as loads have
 * differed enough to tell, filled up with the assumption by precision.
 */
function fixedPart(cells: CostCells): { readonly part: number; readonly sd: number } {
  const points = [...cells.cells()].map(([, , { cpuUsec, requests, timeMs }]) => ({
    time: timeMs,
    cpu: cpuUsec / timeMs,
    load: requests / timeMs,
  }));
  const time = points.reduce((sum, point) => sum + point.time, 0);
  const mean = (numberOf: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + point.time * numberOf(point), 0) / time;
  const cpu = mean((point) => point.cpu);
  const load = mean((point) => point.load);
  const loadVariance = mean((point) => (point.load - load) ** 2);
  const prior = { mean: FIXED_PART.mean, precision: 1 / FIXED_PART.sd ** 2 };
  if (points.length < 4 || loadVariance === 0) return { part: prior.mean, sd: FIXED_PART.sd };
  const slope = mean((point) => (point.load - load) * (point.cpu - cpu)) / loadVariance;
  const residual = mean((point) => (point.cpu - cpu - slope * (point.load - load)) ** 2);
  const variance = (residual / cpu ** 2 / (points.length - 2)) * (load ** 2 / loadVariance + 1);
  const precision = 1 / Math.max(variance, 1e-6);
  const part =
    (precision * (1 - (slope * load) / cpu) + prior.precision * prior.mean) / (precision + prior.precision);
  return { part: Math.min(0.9, Math.max(0, part)), sd: 1 / Math.sqrt(precision + prior.precision) };
}

/** CPU against what the baseline's pods on average would have burnt at the same load, in microseconds. */
function againstExpected(cells: CostCells, baseline: Cell, fixed: number): PodCounts {
  const counts = new PodCounts();
  const cpuPerMs = baseline.cpuUsec / baseline.timeMs;
  const requestsPerMs = baseline.requests / baseline.timeMs;
  for (const [pod, block, { cpuUsec, requests, timeMs }] of cells.cells()) {
    const load = requests / timeMs / requestsPerMs;
    const expected = cpuPerMs * timeMs * (fixed + (1 - fixed) * load);
    counts.add(pod, block, { requests: expected, counted: cpuUsec });
  }
  return counts;
}

function weightsOf(pods: readonly Counted[]) {
  const expected = pods.reduce((sum, pod) => sum + pod.requests, 0);
  const burnt = pods.reduce((sum, pod) => sum + pod.counted, 0);
  const squares = pods.reduce((sum, pod) => sum + pod.requests ** 2, 0);
  return { part: burnt / expected, concentration: squares / expected ** 2, pods: pods.length };
}
