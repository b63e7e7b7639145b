/**
 * What an estimate has to reach for growth to be proven between a twelfth of the planned time and the deadline. The e-process may be
 * looked at for ever and pays for it: where pods stay what they are, most of its price is for looks nobody will take.
 * An estimate with the lottery of pods in it strays like Brownian motion in the information 1/(pods + sampling), which the
 * pods keep from growing without end, so that little is added between the first look and the deadline.
 */
import { boundFactor } from './bound-factor.ts';

/** Part of the planned time before which the bound proves nothing: what is that sudden, the e-process sees. */
const FIRST_PART = 1 / 12;

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
      boundFactor(alpha, FIRST_PART ** (-at / POINTS)),
    );
  }

  /** Undefined before its time. */
  at(blocks: number, { sampling, pods, ageing = 0 }: GrowthNoise): number | undefined {
    if (blocks < FIRST_PART * this.#planned) return undefined;
    const part = Math.min(1, blocks / this.#planned);
    const stays = pods + (ageing * part) ** 2;
    const atEnd = sampling * part;
    const growth = (stays + atEnd / FIRST_PART) / (stays + atEnd);
    return this.#factorFor(growth) * Math.sqrt(stays + sampling);
  }

  #factorFor(growth: number): number {
    const place = Math.min(POINTS, Math.max(0, (-POINTS * Math.log(growth)) / Math.log(FIRST_PART)));
    const below = Math.min(POINTS - 1, Math.floor(place));
    const from = this.#factors[below] ?? 0;
    return from + (place - below) * ((this.#factors[below + 1] ?? from) - from);
  }
}
