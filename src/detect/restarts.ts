/**
 * Regressions that begin after the gate did. What came before dilutes them, so the canary is also weighed from later starts, each
 * against its own past: the same pods before and after, so that which pods the arms got cancels, and only how pods change
 * with time is left. Each start is an e-process of its own (what came before it is a random effect that stays), and so is
 * their mean: one test with the level of one (docs/adr/0020-growth-since-a-later-start.md).
 */
import { logEValue } from './e-process.ts';
import { DRIFT_SD, type Onset } from './effect-evidence.ts';
import { BOUND_ALPHA } from './node-evidence.ts';

/** Requests of a stretch of time, the baseline's weighted to the canary's. */
export interface Stretch {
  /** The canary's. */
  readonly requests: number;
  /** Of those, beyond the threshold; and how many there would be if the canary were the baseline. */
  readonly counted: number;
  readonly expected: number;
  /** Σ (canary's requests)² / baseline's: the error of the weighted baseline. */
  readonly squares: number;
  readonly looks: number;
}

const MOST_STARTS = 30; // an hour of two minutes each; of a longer gate they are further apart

/** What has been served since the evaluation began, and had been at each later start. */
export class Restarts {
  /** Starts that the whole gate may have: the weight of each is fixed before anything is seen. */
  readonly planned: number;
  readonly #blocksEach: number;
  readonly #sum = { requests: 0, counted: 0, expected: 0, squares: 0, looks: 0 };
  readonly #starts: { readonly block: number; readonly before: Stretch }[] = [];

  /** `blocks`: of BLOCK_MS in the whole gate. */
  constructor(blocks: number) {
    this.#blocksEach = Math.max(1, Math.ceil(blocks / (MOST_STARTS + 1)));
    this.planned = Math.max(0, Math.ceil(blocks / this.#blocksEach) - 1);
  }

  get sum(): Stretch {
    return this.#sum;
  }

  get starts(): readonly { readonly block: number; readonly before: Stretch }[] {
    return this.#starts;
  }

  /** Adds what block `block` of BLOCK_MS showed; blocks never go back. */
  add(block: number, { requests, counted, expected, squares, looks }: Stretch): void {
    const start = Math.floor(block / this.#blocksEach) * this.#blocksEach;
    const newest = this.#starts.at(-1)?.block ?? 0;
    if (start > newest && this.#sum.looks > 0 && this.#starts.length < this.planned) {
      this.#starts.push({ block: start, before: { ...this.#sum } });
    }
    this.#sum.requests += requests;
    this.#sum.counted += counted;
    this.#sum.expected += expected;
    this.#sum.squares += squares;
    this.#sum.looks += looks;
  }
}

/** What a threshold says of latency. */
export interface ThresholdShape {
  /** Part of the baseline's requests beyond it, for one unit of log latency that all get slower. */
  readonly density: number;
  /** How much slower the baseline would have to be for this part of it to be beyond. */
  shiftOf(part: number): number;
}

/** Of the difference between the arms' pods, in log latency. */
export interface StretchNoise {
  /** Of waves, over one block; as much less over more of them. */
  readonly waves: number;
  /** Of what changes with age in some pods more than in others, and does not average out. */
  readonly ageing: number;
  readonly looksPerBlock: number;
  /** Fewest requests beyond the threshold that are expected on each side of a start. */
  readonly fewest: number;
}

export interface RestartEvidence {
  /** Log of the mean e-value of all planned starts; −∞ where none shows growth. */
  readonly logE: number;
  /** The start with the most of it. */
  readonly strongest: Onset & { readonly logE: number };
}

/** Weighs growth since each start against what there was before it; undefined where none shows any. */
export function weighRestarts(
  restarts: Restarts,
  shape: ThresholdShape,
  noise: StretchNoise,
  boundFactor: number,
): RestartEvidence | undefined {
  const { sum, starts, planned } = restarts;
  let strongest: { block: number; before: Stretch; logE: number; variance: number } | undefined;
  let whole = 0;
  for (const { block, before } of starts) {
    if (Math.min(before.expected, sum.expected - before.expected) < noise.fewest) continue;
    const after = differenceOf(sum, before);
    const growth = (excessOf(after) - excessOf(before)) / shape.density;
    if (!(growth > 0)) continue;
    const sampling = varianceOf(after, shape.density, noise);
    const nullVariance = varianceOf(before, shape.density, noise) + noise.ageing;
    const model = { nullVariance, driftVariance: nullVariance + DRIFT_SD ** 2 };
    const logE = logEValue(growth / Math.sqrt(sampling), 1 / sampling, model);
    whole += Math.exp(Math.min(logE, LARGEST_LOG));
    if (strongest === undefined || logE > strongest.logE) {
      strongest = { block, before, logE, variance: sampling + nullVariance };
    }
  }
  if (strongest === undefined) return undefined;
  const after = differenceOf(sum, strongest.before);
  const shift = ({ counted, expected, requests }: Stretch): number =>
    shape.shiftOf(counted / requests) - shape.shiftOf(expected / requests);
  const { block, logE } = strongest;
  const beside = shift(after);
  return {
    logE: Math.log(whole / planned),
    strongest: {
      block,
      logE,
      effect: beside - shift(strongest.before),
      beside,
      half: boundFactor * Math.sqrt(strongest.variance),
      isSuspect: logE >= -Math.log(2 * BOUND_ALPHA),
    },
  };
}

const LARGEST_LOG = 600; // e^709 is the last that is a number

export const differenceOf = (sum: Stretch, before: Stretch): Stretch => ({
  requests: sum.requests - before.requests,
  counted: sum.counted - before.counted,
  expected: sum.expected - before.expected,
  squares: sum.squares - before.squares,
  looks: sum.looks - before.looks,
});

export const excessOf = ({ counted, expected, requests }: Stretch): number => (counted - expected) / requests;

export function varianceOf(
  { requests, expected, squares, looks }: Stretch,
  density: number,
  noise: StretchNoise,
) {
  const part = expected / requests;
  const sampling = part * (1 - part) * (1 / requests + squares / requests ** 2);
  return sampling / density ** 2 + (noise.waves * noise.looksPerBlock) / looks;
}
