/**
 * How far the difference of a function's share strays from round to round when nothing has changed: sampling, and how two starts of
 * one build differ (another order of compilation, another layout, a neighbour). Each round is a pair, so its difference is free of
 * what both had in common; the spread is that of the differences, which a true change does not inflate. As in dispersion.ts
 * few rounds are helped by all functions together, and one that strays more than the common kind keeps its own spread.
 */
import { type CountedPair, shareOf } from './run-counts.ts';

export interface RunSpread {
  readonly node: number;
  /** Mean share of a run, both builds together. */
  readonly share: number;
  /** Mean of canary − baseline over rounds, and the variance of one round's difference. */
  readonly difference: number;
  readonly variance: number;
  readonly degreesOfFreedom: number;
  /** Of the share's logarithm, between two starts; that of the common kind. */
  readonly relativeVariance: number;
}

// Those of dispersion.ts: what is assumed of two starts at the least, and how much the common spread counts beside a function's own.
const ASSUMED_SD = 0.03;
const METHOD_SHARE = 0.05;
const PRIOR_DF = 6;
const OUTLIER_RATIO = 3.3;
const TRIMMED_PART = 0.1;

interface Observed {
  readonly node: number;
  readonly share: number;
  readonly difference: number;
  readonly own: number;
  /** What sampling alone gives, and what each unit of the common spread adds. */
  readonly sampling: number;
  readonly perSpread: number;
}

/** `pairs`: two at least. */
export function runSpreads(pairs: readonly CountedPair[], nodes: readonly number[]): readonly RunSpread[] {
  const observed = nodes.map((node) => observe(pairs, node));
  const common = Math.max(ASSUMED_SD ** 2, commonSpread(observed));
  const ownDf = pairs.length - 1;
  return observed.map(({ node, share, difference, own, sampling, perSpread }) => {
    const expected = sampling + common * perSpread;
    const isOutlier = own > OUTLIER_RATIO * expected;
    const shrunken = (ownDf * own + PRIOR_DF * expected) / (ownDf + PRIOR_DF);
    return {
      ...{ node, share, difference },
      variance: isOutlier ? own : Math.max(sampling + ASSUMED_SD ** 2 * perSpread, shrunken),
      degreesOfFreedom: isOutlier ? ownDf : ownDf + PRIOR_DF,
      relativeVariance: common * scaleOf(share),
    };
  });
}

/** A sum over many methods strays less: what they do to each other cancels. */
const scaleOf = (share: number): number => (share > METHOD_SHARE ? METHOD_SHARE / share : 1);

function observe(pairs: readonly CountedPair[], node: number): Observed {
  const differences = pairs.map(({ baseline, canary }) => shareOf(canary, node) - shareOf(baseline, node));
  const difference = mean(differences);
  const share = mean(
    pairs.flatMap(({ baseline, canary }) => [shareOf(baseline, node), shareOf(canary, node)]),
  );
  const binomial = share * (1 - share);
  const sampling = mean(
    pairs.map(
      ({ baseline, canary }) => binomial * (1 / Math.max(1, baseline.named) + 1 / Math.max(1, canary.named)),
    ),
  );
  return {
    ...{ node, share, difference, sampling },
    own: varianceOf(differences),
    perSpread: 2 * binomial ** 2 * scaleOf(share),
  };
}

/** Mean by weight without the outer tenths: a few wild functions, and those that did change, do not set it. */
function commonSpread(observed: readonly Observed[]): number {
  const values = observed
    .filter(({ perSpread }) => perSpread > 0)
    .map(({ own, sampling, perSpread }) => ({
      value: (own - sampling) / perSpread,
      weight: (perSpread / (sampling + ASSUMED_SD ** 2 * perSpread)) ** 2,
    }))
    .sort((a, b) => a.value - b.value);
  const whole = values.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  let sum = 0;
  let kept = 0;
  for (const { value, weight } of values) {
    const from = Math.max(before, TRIMMED_PART * whole);
    const to = Math.min(before + weight, (1 - TRIMMED_PART) * whole);
    before += weight;
    if (to <= from) continue;
    sum += value * (to - from);
    kept += to - from;
  }
  return kept > 0 ? sum / kept : 0;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Of one value; 0 of fewer than two. */
export function varianceOf(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1);
}
