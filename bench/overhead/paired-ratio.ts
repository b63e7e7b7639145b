/** How much a variant costs against the others of the same round, and how sure that is. Pure. */

/** CPU-ms per request of one round, by variant. */
export type RoundCosts = ReadonlyMap<string, number>;

export interface Estimate {
  readonly value: number;
  /** Bootstrap 95 % over rounds; null of fewer rounds than can be resampled. */
  readonly interval: readonly [number, number] | null;
}

const RESAMPLES = 4000; // the ends of a 95 % interval then rest on a hundred values each
const FEWEST_ROUNDS = 3;

/** What was measured of a variant in this round; a round without it is none. */
function costIn(round: RoundCosts, variant: string): number {
  const cost = round.get(variant);
  if (cost === undefined) throw new RangeError(`a round without ${variant}`);
  return cost;
}

/** The base of a round is the mean of its base variants, so that one unlucky window moves it half as much. */
function baseOf(round: RoundCosts, bases: readonly string[]): number {
  return mean(bases.map((base) => costIn(round, base)));
}

/** Geometric mean over rounds of variant / base, so that swapping the two gives the reciprocal. */
export function pairedRatio(
  rounds: readonly RoundCosts[],
  variant: string,
  bases: readonly string[],
  random: () => number,
): Estimate {
  const logs = rounds.map((round) => Math.log(costIn(round, variant) / baseOf(round, bases)));
  return bootstrap(logs, (some) => Math.exp(mean(some)), random);
}

/** Mean over rounds of variant − base, in CPU-ms per request. */
export function addedCost(rounds: readonly RoundCosts[], variant: string, bases: readonly string[]): number {
  return mean(rounds.map((round) => costIn(round, variant) - baseOf(round, bases)));
}

/**
 * The share of the other's added cost that the variant does not add: 1 − added / other's added. Null when the other added
 * nothing, of which there is no share.
 */
export function savedShare(
  rounds: readonly RoundCosts[],
  pair: { readonly variant: string; readonly other: string; readonly bases: readonly string[] },
  random: () => number,
): Estimate | null {
  const saved = (some: readonly RoundCosts[]) =>
    1 - addedCost(some, pair.variant, pair.bases) / addedCost(some, pair.other, pair.bases);
  if (addedCost(rounds, pair.other, pair.bases) <= 0) return null;
  return bootstrap(rounds, saved, random);
}

/** The statistic of all items, and where its middle 95 % lie when items are drawn again with replacement. */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  random: () => number,
): Estimate {
  const value = statistic(items);
  if (items.length < FEWEST_ROUNDS) return { value, interval: null };
  const values = Array.from({ length: RESAMPLES }, () =>
    statistic(items.map((item) => items[Math.floor(random() * items.length)] ?? item)),
  ).sort((a, b) => a - b);
  return { value, interval: [quantile(values, 0.025), quantile(values, 0.975)] };
}

/**
 * How far from 1 a ratio must be before it says anything: the farther end of the A/A pair's interval, which has no reason to
 * be anywhere but at 1. Null without an interval: then nothing may be claimed.
 */
export function noiseFloor(pair: Estimate): number | null {
  if (!pair.interval) return null;
  return Math.max(...[pair.value, ...pair.interval].map((end) => Math.abs(end - 1)));
}

/** True: it differs from its base by more than the A/A pair does, and its own interval leaves out 1. */
export function isBeyondNoise({ value, interval }: Estimate, floor: number | null): boolean {
  if (!interval || floor === null) return false;
  return Math.abs(value - 1) > floor && (interval[0] > 1 || interval[1] < 1);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Nearest rank, so a value that was seen; of unsorted values too. NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
