/** What the engine says of growth of a simulated canary whose pods have served few requests. */
import {
  type EffectEvidence,
  growthExceedsMargin,
  growthIsProven,
} from '../../src/detect/effect-evidence.ts';
import { hasServedFew } from '../../src/detect/maturity.ts';
import { doubtOfYouth, type Youth } from '../../src/detect/young-latency.ts';

/** `served`: by each pod of an arm since it was started. */
export function doubtedByYouth(
  evidence: EffectEvidence,
  served: { readonly canary: number; readonly baseline: number },
  of: Omit<Youth, 'maturity'>,
): EffectEvidence {
  if (!growthIsProven(evidence) || !growthExceedsMargin(evidence)) return evidence;
  const maturity = { isYoung: hasServedFew(served.canary, served.baseline), served: served.canary };
  const doubt = doubtOfYouth(evidence, { ...of, maturity });
  return doubt === undefined ? evidence : { ...evidence, doubt };
}
