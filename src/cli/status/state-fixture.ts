/** For tests: what is read of a cluster with an install that works, a policy and a gate that compares. */

import {
  aGate as aStoredGate,
  aPolicy as aStoredPolicy,
} from '../../controller/regression-gate/testing/a-cluster.ts';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import type { RegressionGate, RegressionGateStatus } from '../../crds/regression-gate.ts';
import type { ClusterState } from './cluster-state.ts';

export const NOW_MS = Date.parse('2026-11-26T10:10:00Z');
const AT = '2026-11-26T10:00:00Z';

export function aState(fields: Partial<ClusterState> = {}): ClusterState {
  return {
    namespace: 'shop',
    controller: {
      known: {
        ...{ wanted: 1, ready: 1, version: '0.1.0', answers: { isSo: true, why: '' } },
        leader: { pod: 'flamegate-controller-7d4b-x2x', renewedAtMs: NOW_MS - 1_000 },
      },
    },
    agents: { known: { isThere: true, nodes: 3, ready: 3 } },
    clusterPolicies: { known: [] },
    policies: { known: [aPolicy()] },
    gates: { known: [aGate()] },
    ...fields,
  };
}

type Conditions = NonNullable<RegressionGateStatus['conditions']>;
type Said = Omit<Conditions[number], 'lastTransitionTime'>;

const stored = (conditions: readonly Said[]): Conditions =>
  conditions.map((condition) => ({ ...condition, lastTransitionTime: AT }));

const PROFILING: Said = { type: 'Ready', status: 'True', reason: 'Profiling', message: '4 of 4 pods' };

export const aPolicy = (
  conditions: readonly Said[] = [PROFILING],
  lostPercent = '0.10%',
): ProfilingPolicy => ({
  ...aStoredPolicy(),
  status: {
    ...{ selected: 4, profiled: 4, conditions: stored(conditions) },
    overhead: { agents: 3, cpuPercent: '0.80%', memory: '61Mi', samplesPerSecond: 190, lostPercent },
  },
});

const COMPARING: RegressionGateStatus = {
  ...{ verdict: 'Collecting', summary: 'Collecting: two more looks' },
  evaluation: { baseline: 'aaa', canary: 'bbb', attempt: 2, report: 'orders-2', startedAt: AT },
  conditions: stored([
    { type: 'Ready', status: 'True', reason: 'Evaluating', message: 'bbb against aaa' },
    { type: 'Reconciling', status: 'True', reason: 'Progressing', message: 'since 10:00' },
    { type: 'DataSufficient', status: 'False', reason: 'Collecting', message: 'two more looks' },
    { type: 'Regressed', status: 'Unknown', reason: 'Undecided', message: 'two more looks' },
  ]),
  evidence: {
    ...{ frequencyHz: 49, rateReason: 'Enough', rateMessage: '49 is enough' },
    ...{ expectedAt: '2026-11-26T10:14:20Z', message: 'a harmless canary passes at 10:14' },
  },
};

export const aGate = (status: RegressionGateStatus = COMPARING): RegressionGate => {
  const gate = aStoredGate();
  return { ...gate, metadata: { ...gate.metadata, name: 'orders', namespace: 'shop' }, status };
};
