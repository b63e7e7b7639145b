/**
 * What an estimate has to reach for growth to be proven between a twelfth of the planned time and the deadline. The e-process may be
 * looked at for ever and pays for it: where pods stay what they are, most of its price is for looks nobody will take.
 * An estimate with the lottery of pods in it strays like Brownian motion in the information 1/(pods + sampling), which the
 * pods keep from growing without end, so that little is added between the first look and the deadline.
 */
import { normalQuantile } from './quantiles.ts';

/** Part of the planned time before which the bound proves nothing: what is that sudden, the e-process sees. */
const FIRST_PART = 1 / 12;
/**
 * The bound falls by this power of the information (Wang & Tsiatis, Biometrics 1987: half-way between equal bounds and those of O'Brien
 * and Fleming): counts of the first looks are few and skewed, so that a bound which is the same for all spends most on them.
 */
const FALL = 1 / 4;

const HALVINGS = 30;
const STEPS = 16;

/**
 * By how many standard errors an estimate of harmless growth may stray at the end, so that one that strays `growth ** FALL` times as
 * far at first, and less and less until its information has grown `growth`-fold, is met with probability `alpha`: the
 * tangent approximation of the first passage of Brownian motion (Jennen & Lerche 1981), as boundFactor has it for FALL = 0.
 */
export function fallingFactor(alpha: number, growth: number): number {
  const logGrowth = Math.log(Math.max(1, growth));
  const step = logGrowth / STEPS;
  let low = Math.log(alpha) - 60;
  let high = Math.log(alpha);
  // Searched over the logarithm of the tail at first, of which the quantile gives the bound there.
  for (let halving = 0; halving < HALVINGS; halving++) {
    const logTail = (low + high) / 2;
    const first = -normalQuantile(Math.exp(logTail));
    let met = Math.exp(logTail);
    for (let at = 0.5; at < STEPS; at++) {
      const bound = first * Math.exp(-FALL * at * step);
      const density = Math.exp((-bound * bound) / 2) / Math.sqrt(2 * Math.PI);
      met += density * ((0.5 + FALL) * bound - 0.5 / bound) * step;
    }
    if (met > alpha) high = logTail;
    else low = logTail;
  }
  return -normalQuantile(Math.exp((low + high) / 2)) * Math.exp(-FALL * logGrowth);
}

const POINTS = 8; // of the logarithm of growth; in between the factor is a straight line to two parts in a thousand

export interface GrowthNoise {
  /** Variance of the estimate that shrinks with time, as of now. */
  readonly sampling: number;
  /** Variance that stays. */
  readonly pods: number;
  /** Standard deviation at the deadline of what all canary pods gain or lose together as they age, evenly over the planned time. */
  readonly ageing?: number;
}

export class GrowthBound {
  readonly #planned: number;
  readonly #factors: readonly number[];

  /** `alpha`: chance that harmless growth ever reaches it. `planned`: blocks until the deadline. */
  constructor(alpha: number, planned: number) {
    this.#planned = planned;
    this.#factors = Array.from({ length: POINTS + 1 }, (_, at) =>
      fallingFactor(alpha, FIRST_PART ** (-at / POINTS)),
    );
  }

  /** Undefined before its time. */
  at(blocks: number, { sampling, pods, ageing = 0 }: GrowthNoise): number | undefined {
    if (blocks < FIRST_PART * this.#planned) return undefined;
    const part = Math.min(1, blocks / this.#planned);
    const stays = pods + (ageing * part) ** 2;
    const atEnd = sampling * part;
    const growth = (stays + atEnd / FIRST_PART) / (stays + atEnd);
    const left = (stays + sampling) / (stays + atEnd);
    return this.#factorFor(growth) * left ** FALL * Math.sqrt(stays + sampling);
  }

  #factorFor(growth: number): number {
    const place = Math.min(POINTS, Math.max(0, (-POINTS * Math.log(growth)) / Math.log(FIRST_PART)));
    const below = Math.min(POINTS - 1, Math.floor(place));
    const from = this.#factors[below] ?? 0;
    return from + (place - below) * ((this.#factors[below + 1] ?? from) - from);
  }
}
