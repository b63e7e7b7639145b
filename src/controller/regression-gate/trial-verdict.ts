/** What the gates of a Flagger Canary say together of the revision that it has on trial. Pure. */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { type RevisionVerdict, revisionVerdict } from '../../crds/revision-verdict.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type CanaryTrial, trialOfCanary } from './workload-arms.ts';

export type Said = 'Passed' | 'Failed' | 'Undecided';

export type TrialVerdict =
  | { readonly said: 'Undecided' }
  /** It holds of this trial, as far as the caches are as new as the cluster. */
  | { readonly said: 'Passed' | 'Failed'; readonly trial: CanaryTrial };

// situation                                       → said
// no such Canary, nothing on trial, no gate of it → Undecided, alike: who asks may be anybody
// one gate has Failed                             → Failed
// all gates have Passed                           → Passed
// otherwise                                       → Undecided
export function trialVerdict(namespace: string, canary: string, view: ClusterView): TrialVerdict {
  const trial = trialOfCanary(namespace, canary, view);
  if (trial === undefined) return { said: 'Undecided' };
  const gates = view.gates(namespace).filter(({ spec }) => isAbout(spec.targetRef, canary));
  const reports = view.reports(namespace);
  const said = gates.map((gate) => saidBy(gate, revisionVerdict(gate, reports, trial)));
  if (said.includes('Failed')) return { said: 'Failed', trial };
  const haveAllPassed = said.length > 0 && said.every((each) => each === 'Passed');
  return haveAllPassed ? { said: 'Passed', trial } : { said: 'Undecided' };
}

const isAbout = (target: RegressionGate['spec']['targetRef'], canary: string): boolean =>
  target?.kind === 'Canary' && target.name === canary;

function saidBy({ spec }: RegressionGate, { verdict, open }: RevisionVerdict): Said {
  switch (verdict) {
    case 'Passed':
      return 'Passed';
    case 'Failed':
      return 'Failed';
    case 'Pending':
      return 'Undecided';
    case 'Inconclusive':
      return open ? 'Undecided' : INCONCLUSIVE[spec.onInconclusive ?? 'Hold'];
  }
}

const INCONCLUSIVE: Readonly<Record<NonNullable<RegressionGate['spec']['onInconclusive']>, Said>> = {
  Pass: 'Passed',
  Hold: 'Undecided',
  Fail: 'Failed',
};
