/** In what a picture counts: shares of each profile's own, or milliseconds a request; and which changes are more than noise. */
import type { DiffTree } from './diff.ts';

export type Unit = 'share' | 'perRequest';

/** What a whole profile costs a request. */
export interface RequestCost {
  readonly ms: number;
  /** Standard error of it, over it: how far pods of one arm differ, not their samples. */
  readonly relativeError: number;
}

export interface ArmCosts {
  readonly baseline: RequestCost;
  readonly canary: RequestCost;
}

/** Of one profile's counts. */
interface ArmMeasure {
  /** What one count is worth. */
  readonly value: number;
  readonly total: number;
  readonly relativeError: number;
}

export interface Measure {
  readonly unit: Unit;
  readonly baseline: ArmMeasure;
  readonly canary: ArmMeasure;
}

type Counts = Pick<DiffTree, 'baseline' | 'canary'>;

export function shareMeasure(tree: Counts): Measure {
  const arm = (total = 0): ArmMeasure => ({ value: total === 0 ? 0 : 1 / total, total, relativeError: 0 });
  return { unit: 'share', baseline: arm(tree.baseline[0]), canary: arm(tree.canary[0]) };
}

export function requestMeasure(tree: Counts, costs: ArmCosts): Measure {
  const arm = ({ ms, relativeError }: RequestCost, total = 0): ArmMeasure => ({
    value: total === 0 ? 0 : ms / total,
    total,
    relativeError,
  });
  return {
    unit: 'perRequest',
    baseline: arm(costs.baseline, tree.baseline[0]),
    canary: arm(costs.canary, tree.canary[0]),
  };
}

/** In the measure's unit. */
export interface Change {
  readonly baseline: number;
  readonly canary: number;
  readonly delta: number;
  /** False while two profiles of the same program would often differ as much. */
  readonly beyondNoise: boolean;
}

/**
 * Beyond noise from two standard errors on. Of shares that is the sampling noise of independent samples; of milliseconds a request how
 * far the pods differ in what a request costs them comes on top. A verdict takes more into account, a picture does not.
 */
export function changeOf(baselineCount: number, canaryCount: number, measure: Measure): Change {
  const baseline = baselineCount * measure.baseline.value;
  const canary = canaryCount * measure.canary.value;
  const delta = canary - baseline;
  const isKnown = measure.baseline.total > 0 && measure.canary.total > 0;
  const error = isKnown ? standardError(baselineCount, canaryCount, measure) : Number.POSITIVE_INFINITY;
  return { baseline, canary, delta, beyondNoise: Math.abs(delta) > 2 * error };
}

const NOISES_OF_ZERO = 1; // a count of nothing is uncertain by one, too

function standardError(before: number, after: number, { unit, baseline, canary }: Measure): number {
  if (unit === 'share') {
    const pooled = (before + after) / (baseline.total + canary.total);
    return Math.sqrt(Math.max(0, pooled * (1 - pooled)) * (1 / baseline.total + 1 / canary.total));
  }
  const variance = (count: number, { value, relativeError }: ArmMeasure): number =>
    value * value * (Math.max(NOISES_OF_ZERO, count) + (count * relativeError) ** 2);
  return Math.sqrt(variance(before, baseline) + variance(after, canary));
}

export const nodeChange = (tree: Counts, node: number, measure: Measure): Change =>
  changeOf(tree.baseline[node] ?? 0, tree.canary[node] ?? 0, measure);

/** As a reader wants them, with as many digits as a thousandth of `whole` needs. */
export interface MeasureText {
  value(amount: number): string;
  /** With its sign and unit; a difference of shares is in points, since a percentage of a percentage misleads. */
  delta(amount: number): string;
  /** The same, short enough to stand in a frame. */
  brief(amount: number): string;
  /** For columns, whose head has the unit. */
  readonly columnUnit: string;
  bare(amount: number): string;
  bareDelta(amount: number): string;
}

export function measureText(unit: Unit, whole: number): MeasureText {
  const [scale, name, ofDelta, brief] = namesOf(unit, whole);
  const decimals =
    unit === 'share' ? 2 : Math.min(3, Math.max(0, Math.ceil(3 - Math.log10(Math.max(whole * scale, 1)))));
  const bare = (amount: number): string => (Math.abs(amount) * scale).toFixed(decimals);
  const bareDelta = (amount: number): string => signed(bare(amount), amount);
  return {
    value: (amount) => `${bare(amount)} ${name}`,
    delta: (amount) => `${bareDelta(amount)} ${ofDelta}`,
    brief: (amount) => `${bareDelta(amount)} ${brief}`,
    ...{ columnUnit: name, bare, bareDelta },
  };
}

/** Scale, and what amounts, differences and short differences are called. */
function namesOf(unit: Unit, whole: number): readonly [number, string, string, string] {
  if (unit === 'share') return [100, '%', 'points', 'pt'];
  return whole < 1 ? [1_000, 'µs', 'µs', 'µs'] : [1, 'ms', 'ms', 'ms'];
}

const signed = (digits: string, amount: number): string =>
  Number(digits) === 0 ? digits : `${amount > 0 ? '+' : '−'}${digits}`;
