/** Whether latency of a canary that has served few requests is grown for good, or by what a JVM loses as it serves more. */
import type { Doubt } from './doubt.ts';
import type { EffectEvidence } from './effect-evidence.ts';
import type { Lasting } from './lasting-growth.ts';
import type { Maturity } from './maturity.ts';
import type { ThresholdShape } from './restarts.ts';
import type { TrustedNoise } from './trusted-requests.ts';

export interface Youth {
  readonly lasting: Lasting | undefined;
  readonly maturity: Pick<Maturity, 'isYoung' | 'served'>;
  readonly shape: ThresholdShape;
  /** Of one look, as far as it is of looks. */
  readonly noise: TrustedNoise;
  /** Of the arms' pods: Σ of squared weights, both arms together. */
  readonly concentration: number;
  readonly looks: number;
}

const LEAST_PART_OF_MARGIN = 0.5;

/**
 * What lasts of growth has to be surely above zero and half of the margin, as without windows that something is the matter with.
 * Growth since a later start is no warm-up: that only falls.
 */
export function doubtOfYouth(
  { margin, onset }: Pick<EffectEvidence, 'margin' | 'onset'>,
  expectedPart: number,
  { lasting, maturity, shape, noise, concentration, looks }: Youth,
): Doubt | undefined {
  const { isYoung, served } = maturity;
  if (!isYoung || onset !== undefined) return undefined;
  if (lasting !== undefined) {
    const growth = shape.shiftOf(expectedPart + lasting.part) - shape.shiftOf(expectedPart);
    const sampling =
      (lasting.error / shape.density) ** 2 +
      (lasting.inflation * noise.waveVariance * concentration) / Math.max(1, looks);
    const half = Math.sqrt(
      noise.podBound ** 2 * noise.podVariance * concentration + noise.boundFactor ** 2 * sampling,
    );
    if (growth - half > 0 && growth >= LEAST_PART_OF_MARGIN * margin) return undefined;
  }
  return {
    kind: 'WarmUp',
    message: `its pods have served no more than ${Math.round(served)} requests each since they were started, and that it lasts as they serve more is not shown`,
  };
}
