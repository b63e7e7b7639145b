/** Which gates are being judged: windows of ten seconds are needed of their pods. Pure. */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { ClusterView } from '../cluster-view.ts';
import { findArms } from '../regression-gate/arms.ts';
import { evaluationsOf, isJudged } from '../regression-gate/evaluation.ts';

/** An evaluation of what runs now is open, or is about to be opened. What was decided, and a gate without a canary, rests. */
export function gateIsJudged(gate: RegressionGate, view: ClusterView): boolean {
  const arms = findArms(gate, view);
  const { current } = evaluationsOf(gate, view.reports(gate.metadata.namespace), arms);
  return isJudged(current, arms);
}
