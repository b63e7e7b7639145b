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
  const seen = observeNodes(arms, seenNodes(arms, size));
  const nodesOf = (total: boolean): number[] => {
    const found: number[] = [];
    for (let at = 0; at < seen.nodes.length; at++) {
      if (nodeIsTotal(seen.nodes[at] ?? 0) === total) found.push(at);
    }
    return found;
  };
  const [selves, totals] = [nodesOf(false), nodesOf(true)];
  const commonKappa = trimmedMean(selves, (at) => kappaOf(seen, at));
  for (let at = 0; at < seen.nodes.length; at++) {
    seen.overdispersion[at] = overdispersionOf(seen, at, commonKappa);
  }
  const commonOf = (ofKind: readonly number[]): number =>
    Math.max(
      ASSUMED_POD_SD ** 2,
      trimmedMean(ofKind, (at) => scaledPodVariance(seen, at)),
    );
  const common = { self: commonOf(selves), total: commonOf(totals) };
  // One object for all that are too rare to say anything: most functions of a service are.
  const unseenSelf = { overdispersion: 1, podVariance: common.self * podVarianceFactor };
  const unseenTotal = { overdispersion: 1, podVariance: common.total * podVarianceFactor };
  const spreads: Spread[] = [];
  for (let node = 0; node < size; node++) spreads.push(nodeIsTotal(node) ? unseenTotal : unseenSelf);
  for (let at = 0; at < seen.nodes.length; at++) {
    const node = seen.nodes[at] ?? 0;
    const prior = (nodeIsTotal(node) ? common.total : common.self) * (seen.priorScale[at] ?? 1);
    spreads[node] = {
      overdispersion: seen.overdispersion[at] ?? 1,
      podVariance: podVarianceOf(seen, at, prior) * podVarianceFactor,
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

/** Of nodes, each in a place of its own: a look observes thousands, and objects cost more than what is worked out of them. */
interface Observations {
  readonly nodes: readonly number[];
  readonly priorScale: Float64Array;
  /** Sums of squares within pods over blocks, and between pods; and what independent samples would give. */
  readonly within: Float64Array;
  readonly withinExpected: Float64Array;
  readonly between: Float64Array;
  readonly betweenExpected: Float64Array;
  /** Expected increase of each sum per unit of relative variance. */
  readonly withinPerKappa: Float64Array;
  readonly betweenPerVariance: Float64Array;
  readonly podDf: Float64Array;
  readonly meanBinomial: Float64Array;
  /** Known once what is common to all nodes is. */
  readonly overdispersion: Float64Array;
  /** The same for all nodes. */
  readonly blockDf: number;
  readonly samplesPerBlock: number;
}

function observeNodes(arms: readonly ArmTally[], nodes: readonly number[]): Observations {
  const shapes = arms.map(armShape).filter(({ arm }) => arm.samples > 0);
  const column = (): Float64Array => new Float64Array(nodes.length);
  const seen = {
    nodes,
    ...{ priorScale: column(), within: column(), withinExpected: column(), between: column() },
    ...{ betweenExpected: column(), withinPerKappa: column(), betweenPerVariance: column() },
    ...{ podDf: column(), meanBinomial: column(), overdispersion: column() },
    blockDf: shapes.reduce((sum, { blockDf }) => sum + blockDf, 0),
    samplesPerBlock: shapes.reduce((sum, shape) => sum + shape.samplesPerBlock / arms.length, 0),
  };
  const samples = shapes.reduce((sum, { arm }) => sum + arm.samples, 0);
  for (let at = 0; at < nodes.length; at++) observeNode(seen, at, shapes, samples);
  return seen;
}

function observeNode(seen: Observations, at: number, shapes: readonly ArmShape[], samples: number): void {
  const node = seen.nodes[at] ?? 0;
  let within = 0;
  let withinExpected = 0;
  let between = 0;
  let betweenExpected = 0;
  let withinPerKappa = 0;
  let betweenPerVariance = 0;
  let count = 0;
  let podDf = 0;
  for (const shape of shapes) {
    const { arm } = shape;
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
    podDf += inArm > 0 ? shape.podDf : 0; // an arm without the function says nothing about its spread
  }
  const share = samples > 0 ? count / samples : 0;
  seen.priorScale[at] = nodeIsTotal(node) && share > METHOD_SHARE ? METHOD_SHARE / share : 1;
  seen.within[at] = within;
  seen.withinExpected[at] = withinExpected;
  seen.between[at] = between;
  seen.betweenExpected[at] = betweenExpected;
  seen.withinPerKappa[at] = withinPerKappa;
  seen.betweenPerVariance[at] = betweenPerVariance;
  seen.podDf[at] = podDf;
  seen.meanBinomial[at] = share * (1 - share);
}

interface Weighted {
  readonly value: number;
  readonly weight: number;
}

const NOTHING: Weighted = { value: 0, weight: 0 };

// kappa: variance in time of the log-odds from block to block, so that overdispersion = 1 + kappa·n·q(1−q).
function kappaOf(seen: Observations, at: number): Weighted {
  const perKappa = seen.withinPerKappa[at] ?? 0;
  if (perKappa <= 0) return NOTHING;
  const scale = seen.priorScale[at] ?? 1;
  const expected = seen.withinExpected[at] ?? 0;
  return {
    value: ((seen.within[at] ?? 0) - expected) / (perKappa * scale),
    weight: ((perKappa * scale) / expected) ** 2,
  };
}

function overdispersionOf(seen: Observations, at: number, commonKappa: number): number {
  const { blockDf } = seen;
  const blended =
    (blockDf * kappaOf(seen, at).value + PRIOR_BLOCK_DF * commonKappa) / (blockDf + PRIOR_BLOCK_DF);
  const scale = seen.priorScale[at] ?? 1;
  return 1 + Math.max(0, blended) * scale * seen.samplesPerBlock * (seen.meanBinomial[at] ?? 0);
}

const betweenNoise = (seen: Observations, at: number): number =>
  (seen.betweenExpected[at] ?? 0) * (seen.overdispersion[at] ?? 1);

function scaledPodVariance(seen: Observations, at: number): Weighted {
  const perVariance = seen.betweenPerVariance[at] ?? 0;
  if (perVariance <= 0) return NOTHING;
  const perCommon = perVariance * (seen.priorScale[at] ?? 1);
  const noise = betweenNoise(seen, at);
  const expected = noise + ASSUMED_POD_SD ** 2 * perCommon;
  return { value: ((seen.between[at] ?? 0) - noise) / perCommon, weight: (perCommon / expected) ** 2 };
}

function podVarianceOf(seen: Observations, at: number, prior: number): number {
  const perVariance = seen.betweenPerVariance[at] ?? 0;
  if (perVariance <= 0) return prior;
  const between = seen.between[at] ?? 0;
  const noise = betweenNoise(seen, at);
  const own = Math.max(0, (between - noise) / perVariance);
  const expected = noise + prior * perVariance;
  if (between > OUTLIER_RATIO * expected) return own;
  // Sampling noise drowns the pods' differences in rare functions: their own estimate then counts for less.
  const ownDf = (seen.podDf[at] ?? 0) * ((prior * perVariance) / expected) ** 2;
  const floor = ASSUMED_POD_SD ** 2 * (seen.priorScale[at] ?? 1);
  return Math.max(floor, (ownDf * own + PRIOR_POD_DF * prior) / (ownDf + PRIOR_POD_DF));
}

/** Mean by weight without the outer tenth of the weight on each side, so that a few wild ones do not set it. */
function trimmedMean(observed: readonly number[], weightedOf: (at: number) => Weighted): number {
  const values = new Float64Array(observed.length);
  const weights = new Float64Array(observed.length);
  let size = 0;
  for (const at of observed) {
    const { value, weight } = weightedOf(at);
    if (!(weight > 0)) continue;
    values[size] = value;
    weights[size] = weight;
    size += 1;
  }
  const order = ascendingOrder(values.subarray(0, size));
  let whole = 0;
  for (let rank = 0; rank < size; rank++) whole += weights[order[rank] ?? 0] ?? 0;
  let before = 0;
  let sum = 0;
  let kept = 0;
  for (let rank = 0; rank < size; rank++) {
    const at = order[rank] ?? 0;
    const weight = weights[at] ?? 0;
    const from = Math.max(before, TRIMMED_PART * whole);
    const to = Math.min(before + weight, (1 - TRIMMED_PART) * whole);
    before += weight;
    if (to <= from) continue;
    sum += (values[at] ?? 0) * (to - from);
    kept += to - from;
  }
  return kept > 0 ? Math.max(0, sum / kept) : 0;
}
