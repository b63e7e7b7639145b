/** Whether latency of a canary that has served few requests is grown for good, or by what a JVM loses as it serves more. */
import type { Doubt } from './doubt.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import { type Lasting, lastingOf, NO_POWERS, plus } from './lasting-growth.ts';
import type { Maturity } from './maturity.ts';
import type { Stretch, ThresholdShape } from './restarts.ts';
import type { TrustedNoise } from './trusted-requests.ts';

const STEP = Math.SQRT2; // from stretch to stretch: n grows by so much while what falls as 1/n is taken as one number

interface ServedStretch extends Stretch {
  /** Requests a pod had served when it began. */
  readonly from: number;
  /** Σ of the canary's requests over n. */
  readonly inverses: number;
}

/** What one threshold showed, by how many requests the canary's pods had served. */
export class ServedStretches {
  readonly #stretches: ServedStretch[] = [];

  /** Requests a pod had served when the first of them was counted. */
  get from(): number {
    return this.#stretches[0]?.from ?? 0;
  }

  /** `served`: n, of each pod. */
  add(served: number, stretch: Stretch): void {
    const last = this.#stretches.at(-1);
    const inverses = stretch.requests / Math.max(1, served);
    if (last === undefined || served >= STEP * last.from) {
      this.#stretches.push({ ...stretch, from: served, inverses });
      return;
    }
    this.#stretches[this.#stretches.length - 1] = {
      from: last.from,
      inverses: last.inverses + inverses,
      requests: last.requests + stretch.requests,
      counted: last.counted + stretch.counted,
      expected: last.expected + stretch.expected,
      squares: last.squares + stretch.squares,
      looks: last.looks + stretch.looks,
    };
  }

  /** Of latency, as a part of it: what a request takes longer for want of n is time, which no logarithm keeps as 1/n. `waves`: variance of a look. */
  lasting({ density, shiftOf }: ThresholdShape, waves: number): Lasting | undefined {
    let [size, excess, ofExcess] = [NO_POWERS, NO_POWERS, NO_POWERS];
    for (const { requests, counted, expected, squares, looks, inverses } of this.#stretches) {
      if (requests === 0) continue;
      const part = expected / requests;
      const growth = shiftOf(counted / requests) - shiftOf(part);
      const counting = (part * (1 - part) * (1 / requests + squares / requests ** 2)) / density ** 2;
      const variance = Math.exp(2 * growth) * (counting + waves / looks);
      const inverse = inverses / requests;
      size = plus(size, requests, inverse);
      excess = plus(excess, requests * Math.expm1(growth), inverse);
      ofExcess = plus(ofExcess, requests ** 2 * variance, inverse);
    }
    return lastingOf({ size, excess, variance: ofExcess });
  }
}

export interface Youth {
  readonly stretches: ServedStretches;
  readonly maturity: Pick<Maturity, 'isYoungFrom' | 'served'>;
  readonly shape: ThresholdShape;
  readonly noise: TrustedNoise;
  /** Of the arms' pods: Σ of squared weights, both arms together. */
  readonly concentration: number;
}

const LEAST_PART_OF_MARGIN = 0.5;

/**
 * What lasts of growth has to be surely above zero and half of the margin, as without windows that something is the matter with.
 * Growth since a later start is no warm-up: that only falls.
 */
export function doubtOfYouth(
  { margin, onset }: Pick<EffectEvidence, 'margin' | 'onset'>,
  { stretches, maturity, shape, noise, concentration }: Youth,
): Doubt | undefined {
  if (onset !== undefined || !maturity.isYoungFrom(stretches.from)) return undefined;
  const lasting = stretches.lasting(shape, noise.waveVariance * concentration);
  if (lasting !== undefined) {
    const { part, error } = lasting;
    const half = Math.sqrt(
      noise.podBound ** 2 * noise.podVariance * concentration + (noise.boundFactor * error) ** 2,
    );
    if (part - half > 0 && Math.log1p(part) >= LEAST_PART_OF_MARGIN * margin) return undefined;
  }
  return {
    kind: 'WarmUp',
    endsInTime: true,
    message: `its pods have served no more than ${Math.round(maturity.served)} requests each since they were started, and that it lasts as they serve more is not shown`,
  };
}
