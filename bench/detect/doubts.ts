/** What the engine holds against proven growth of a simulated canary: that it is one pod's, or that its pods have served few requests. */
import {
  type EffectEvidence,
  growthExceedsMargin,
  growthIsProven,
} from '../../src/detect/effect-evidence.ts';
import { hasServedFew } from '../../src/detect/maturity.ts';
import { doubtOfPods, type OnePodInput } from '../../src/detect/one-pod-doubt.ts';
import { doubtOfYouth, type Youth } from '../../src/detect/young-latency.ts';

type Known = Omit<Youth, 'maturity'> & Omit<OnePodInput, 'evidence' | 'facts' | 'noise'>;

const NAMELESS = { canary: new Map() };

/** `served`: by each pod of an arm since it was started. */
export function doubted(
  evidence: EffectEvidence,
  served: { readonly canary: number; readonly baseline: number },
  of: Known,
): EffectEvidence {
  if (!growthIsProven(evidence) || !growthExceedsMargin(evidence)) return evidence;
  const maturity = {
    isYoungFrom: (from: number): boolean => hasServedFew(served.canary, served.baseline, from),
    served: served.canary,
  };
  const doubt =
    doubtOfPods({ ...of, evidence, facts: NAMELESS }) ?? doubtOfYouth(evidence, { ...of, maturity });
  return doubt === undefined ? evidence : { ...evidence, doubt };
}
