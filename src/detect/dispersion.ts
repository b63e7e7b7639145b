import { ascendingOrder } from './ascending-order.ts';
import { nodeIsTotal } from './stack-index.ts';
import type { ArmTally } from './tally.ts';

/**
 * How far a function's share strays without any change of version. Both parts are estimated WITHIN arms, so
 * a real difference between the arms does not inflate them, and over both arms, because three pods each
 * leave only four degrees of freedom.
 */
export interface Spread {
  /** Variance of the samples over that of independent ones, ≥ 1: bursts and slow waves within a pod. */
  readonly overdispersion: number;
  /** Variance between pods of the share's log-odds. */
  readonly podVariance: number;
}

export interface Dispersion {
  readonly spreads: readonly Spread[];
  /** For the factor that pays for an estimated variance. */
  readonly degreesOfFreedom: number;
}

// With few pods the measured spread of a quiet service can be near zero by luck. Three per cent is the
// function-by-pod spread assumed where no history tells; the report then says AssumedVariance.
const ASSUMED_POD_SD = 0.03;
// A caller's share is a sum over methods whose pod effects mostly cancel: above this share the prior for a
// total falls as 1/share, as it does for a sum of methods of this size. Its own spread is still measured.
const METHOD_SHARE = 0.05;
// Pseudo-observations of the common spread mixed into each function's own; few, because functions differ.
const PRIOR_POD_DF = 6;
const PRIOR_BLOCK_DF = 40;
// A function whose pods disagree more than 1 in 100 would by the common spread (chi²/4 above 3.3) is not one
// of the common kind: a method inlined in some pods only, a background job. It keeps all of its own spread.
const OUTLIER_RATIO = 3.3;
const TRIMMED_PART = 0.1;

/**
 * Spreads of every node; `degreesOfFreedom` counts pods − 1 of both arms and the prior. `podVarianceFactor`: what placebo gates
 * showed to be missing in the variance between pods.
 */
export function estimateDispersion(arms: readonly ArmTally[], podVarianceFactor = 1): Dispersion {
  const size = arms[0]?.counts.length ?? 0;
  const shapes = arms.map(armShape);
  const seen = seenNodes(arms, size).map((node) => observeNode(shapes, node));
  const ofKind = (total: boolean): NodeObservation[] => seen.filter((node) => node.total === total);
  const commonKappa = trimmedMean(ofKind(false), kappaOf);
  for (const node of seen) node.overdispersion = overdispersionOf(node, commonKappa);
  const commonOf = (total: boolean): number =>
    Math.max(ASSUMED_POD_SD ** 2, trimmedMean(ofKind(total), scaledPodVariance));
  const common = { self: commonOf(false), total: commonOf(true) };
  // One object for all that are too rare to say anything: most functions of a service are.
  const unseenSelf = { overdispersion: 1, podVariance: common.self * podVarianceFactor };
  const unseenTotal = { overdispersion: 1, podVariance: common.total * podVarianceFactor };
  const spreads = Array.from({ length: size }, (_, node) => (nodeIsTotal(node) ? unseenTotal : unseenSelf));
  for (const node of seen) {
    spreads[node.node] = {
      overdispersion: node.overdispersion,
      podVariance:
        podVarianceOf(node, (node.total ? common.total : common.self) * node.priorScale) * podVarianceFactor,
    };
  }
  return { spreads, degreesOfFreedom: podDegreesOfFreedom(arms) + PRIOR_POD_DF };
}

const podDegreesOfFreedom = (arms: readonly ArmTally[]): number =>
  arms.reduce((sum, arm) => sum + Math.max(0, arm.pods.size - 1), 0);

// Below this a function says nothing about its own spread.
const LEAST_SAMPLES = 10;

function seenNodes(arms: readonly ArmTally[], size: number): number[] {
  const seen: number[] = [];
  for (let node = 0; node < size; node++) {
    let samples = 0;
    for (const arm of arms) samples += arm.counts[node] ?? 0;
    if (samples >= LEAST_SAMPLES) seen.push(node);
  }
  return seen;
}

interface ArmShape {
  readonly arm: ArmTally;
  readonly pods: number;
  /** By node: Σ x²/n over pods. */
  readonly podSquares: Float64Array;
  readonly blockDf: number;
  readonly podDf: number;
  /** N − Σn²/N: the exposure that weighs the variance between pods. */
  readonly exposure: number;
  readonly samplesPerBlock: number;
}

function armShape(arm: ArmTally): ArmShape {
  const pods = [...arm.pods.values()];
  const blocks = pods.reduce((sum, pod) => sum + pod.blocks, 0);
  const squares = pods.reduce((sum, pod) => sum + pod.samples ** 2, 0);
  return {
    arm,
    pods: pods.length,
    podSquares: podSquaresOf(arm),
    blockDf: Math.max(0, blocks - pods.length - (arm.blocks - 1)),
    podDf: Math.max(0, pods.length - 1),
    exposure: arm.samples > 0 ? arm.samples - squares / arm.samples : 0,
    samplesPerBlock: blocks > 0 ? arm.samples / blocks : 0,
  };
}

function podSquaresOf(arm: ArmTally): Float64Array {
  const squares = new Float64Array(arm.counts.length);
  for (const { counts, samples } of arm.pods.values()) {
    for (let node = 0; node < counts.length; node++) {
      const count = counts[node] ?? 0;
      if (count > 0) squares[node] = (squares[node] ?? 0) + count ** 2 / samples;
    }
  }
  return squares;
}

interface NodeObservation {
  readonly node: number;
  readonly total: boolean;
  readonly priorScale: number;
  /** Sums of squares within pods over blocks, and between pods; and what independent samples would give. */
  readonly within: number;
  readonly withinExpected: number;
  readonly between: number;
  readonly betweenExpected: number;
  /** Expected increase of each sum per unit of relative variance. */
  readonly withinPerKappa: number;
  readonly betweenPerVariance: number;
  readonly podDf: number;
  readonly blockDf: number;
  readonly samplesPerBlock: number;
  readonly meanBinomial: number;
  /** Known once what is common to all nodes is. */
  overdispersion: number;
}

function observeNode(shapes: readonly ArmShape[], node: number): NodeObservation {
  let within = 0;
  let withinExpected = 0;
  let between = 0;
  let betweenExpected = 0;
  let withinPerKappa = 0;
  let betweenPerVariance = 0;
  let count = 0;
  let samples = 0;
  let blockDf = 0;
  let podDf = 0;
  let samplesPerBlock = 0;
  for (const shape of shapes) {
    const { arm } = shape;
    if (arm.samples === 0) continue;
    const inArm = arm.counts[node] ?? 0;
    const share = inArm / arm.samples;
    const binomial = share * (1 - share);
    const podSquares = shape.podSquares[node] ?? 0;
    const timeSquares = arm.timeSquares[node] ?? 0;
    within += (arm.blockSquares[node] ?? 0) - podSquares - (timeSquares - inArm * share);
    withinExpected += shape.blockDf * binomial;
    withinPerKappa += shape.blockDf * binomial ** 2 * shape.samplesPerBlock;
    between += podSquares - inArm * share;
    betweenExpected += shape.podDf * binomial;
    betweenPerVariance += binomial ** 2 * shape.exposure;
    count += inArm;
    samples += arm.samples;
    blockDf += shape.blockDf;
    podDf += inArm > 0 ? shape.podDf : 0; // an arm without the function says nothing about its spread
    samplesPerBlock += shape.samplesPerBlock / shapes.length;
  }
  const share = samples > 0 ? count / samples : 0;
  const total = nodeIsTotal(node);
  return {
    node,
    total,
    priorScale: total && share > METHOD_SHARE ? METHOD_SHARE / share : 1,
    within,
    withinExpected,
    between,
    betweenExpected,
    withinPerKappa,
    betweenPerVariance,
    podDf,
    blockDf,
    samplesPerBlock,
    meanBinomial: share * (1 - share),
    overdispersion: 1,
  };
}

interface Weighted {
  readonly value: number;
  readonly weight: number;
}

const NOTHING: Weighted = { value: 0, weight: 0 };

// kappa: variance in time of the log-odds from block to block, so that overdispersion = 1 + kappa·n·q(1−q).
function kappaOf(node: NodeObservation): Weighted {
  if (node.withinPerKappa <= 0) return NOTHING;
  return {
    value: (node.within - node.withinExpected) / (node.withinPerKappa * node.priorScale),
    weight: ((node.withinPerKappa * node.priorScale) / node.withinExpected) ** 2,
  };
}

function overdispersionOf(node: NodeObservation, commonKappa: number): number {
  const own = kappaOf(node).value;
  const blended = (node.blockDf * own + PRIOR_BLOCK_DF * commonKappa) / (node.blockDf + PRIOR_BLOCK_DF);
  return 1 + Math.max(0, blended) * node.priorScale * node.samplesPerBlock * node.meanBinomial;
}

const betweenNoise = (node: NodeObservation): number => node.betweenExpected * node.overdispersion;

function scaledPodVariance(node: NodeObservation): Weighted {
  if (node.betweenPerVariance <= 0) return NOTHING;
  const perCommon = node.betweenPerVariance * node.priorScale;
  const expected = betweenNoise(node) + ASSUMED_POD_SD ** 2 * perCommon;
  return { value: (node.between - betweenNoise(node)) / perCommon, weight: (perCommon / expected) ** 2 };
}

function podVarianceOf(node: NodeObservation, prior: number): number {
  if (node.betweenPerVariance <= 0) return prior;
  const own = Math.max(0, (node.between - betweenNoise(node)) / node.betweenPerVariance);
  const expected = betweenNoise(node) + prior * node.betweenPerVariance;
  if (node.between > OUTLIER_RATIO * expected) return own;
  // Sampling noise drowns the pods' differences in rare functions: their own estimate then counts for less.
  const ownDf = node.podDf * ((prior * node.betweenPerVariance) / expected) ** 2;
  const floor = ASSUMED_POD_SD ** 2 * node.priorScale;
  return Math.max(floor, (ownDf * own + PRIOR_POD_DF * prior) / (ownDf + PRIOR_POD_DF));
}

/** Mean by weight without the outer tenth of the weight on each side, so that a few wild ones do not set it. */
function trimmedMean(
  nodes: readonly NodeObservation[],
  weightedOf: (node: NodeObservation) => Weighted,
): number {
  const weighted = nodes.map(weightedOf).filter(({ weight }) => weight > 0);
  const order = ascendingOrder(Float64Array.from(weighted, ({ value }) => value));
  let whole = 0;
  for (const at of order) whole += weighted[at]?.weight ?? 0;
  let before = 0;
  let sum = 0;
  let kept = 0;
  for (const at of order) {
    const { value, weight } = weighted[at] ?? NOTHING;
    const from = Math.max(before, TRIMMED_PART * whole);
    const to = Math.min(before + weight, (1 - TRIMMED_PART) * whole);
    before += weight;
    if (to <= from) continue;
    sum += value * (to - from);
    kept += to - from;
  }
  return kept > 0 ? Math.max(0, sum / kept) : 0;
}
