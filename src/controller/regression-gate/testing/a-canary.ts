/** For tests: a Canary of Flagger with revision `bbb` of Deployment orders on trial against `aaa` of its primary, and a gate about it. */
import type { RegressionGate, RegressionGateSpec } from '../../../crds/regression-gate.ts';
import { TARGET_KINDS } from '../../../crds/target-kinds.ts';
import { aDeployment, aDeploymentGate, aReplicaSet, type Cluster, metadata, NAMESPACE } from './a-cluster.ts';

export const aCanary = (phase: string): Cluster['targets'] => ({
  Canary: {
    state: 'Read',
    objects: [
      {
        ...{ kind: 'Canary', metadata: { name: 'orders', namespace: NAMESPACE, uid: 'uid-canary' } },
        spec: { targetRef: { kind: 'Deployment', name: 'orders' } },
        status: { phase },
      },
    ],
  },
});

/** `orders-cpu`, whose reports aReport makes, or another. */
export function aCanaryGate(spec: Partial<RegressionGateSpec> = {}, name = 'orders-cpu'): RegressionGate {
  const gate = aDeploymentGate();
  const targetRef = { apiVersion: TARGET_KINDS.Canary.apiVersion, kind: 'Canary', name: 'orders' } as const;
  return { ...gate, metadata: metadata(name), spec: { ...gate.spec, targetRef, ...spec } };
}

export const CANARY_REVISION = 2;
export const ON_TRIAL: Partial<Cluster> = {
  deployments: [aDeployment(), aDeployment('orders-primary')],
  replicaSets: [
    aReplicaSet({ hash: 'old', revision: 1, image: 'orders:1' }),
    aReplicaSet({ hash: 'bbb', revision: CANARY_REVISION, image: 'orders:2' }),
    aReplicaSet({ deployment: 'orders-primary', hash: 'aaa', revision: 1 }),
  ],
  targets: aCanary('Progressing'),
  gates: [aCanaryGate()],
};
