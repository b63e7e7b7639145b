/** Which keys are looked at after an object changed. Pods and Deployments concern their namespace's policies and gates. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { profilingPolicyKind } from '../crds/profiling-policy.ts';
import { regressionGateKind } from '../crds/regression-gate.ts';
import { regressionReportKind } from '../crds/regression-report.ts';
import { API_VERSION } from '../crds/schema.ts';
import { AGENT_NAME } from './agents/plan-daemon-set.ts';
import { POD_TEMPLATES } from './agents/reconciler.ts';
import type { ClusterView } from './cluster-view.ts';
import { keyOf, type WatchedResource } from './operator-base.ts';
import { hasOurEntry } from './profiling-policy/flag-variables.ts';
import { PROFILING_POLICIES } from './profiling-policy/reconciler.ts';

const GATES: WatchedResource = {
  apiVersion: API_VERSION,
  plural: regressionGateKind.plural,
  kind: regressionGateKind.kind,
};

export interface Wake {
  readonly resource: WatchedResource;
  readonly key: string;
}

export interface WakeUpOptions {
  readonly view: Pick<ClusterView, 'policies' | 'gates'>;
  readonly agentsNamespace: string;
}

export function wakeUps(object: KubernetesObject, { view, agentsNamespace }: WakeUpOptions): Wake[] {
  const agents: Wake = { resource: POD_TEMPLATES, key: `${agentsNamespace}/${AGENT_NAME}` };
  const namespace = object.metadata?.namespace ?? '';
  const policiesIn = (ns?: string): Wake[] =>
    view.policies(ns).map((policy) => ({ resource: PROFILING_POLICIES, key: keyOfOurs(policy) }));
  const gatesIn = (ns: string): Wake[] =>
    view.gates(ns).map((gate) => ({ resource: GATES, key: keyOfOurs(gate) }));
  switch (object.kind ?? '') {
    case profilingPolicyKind.kind:
      return [{ resource: PROFILING_POLICIES, key: keyOf(object) }, agents];
    case regressionGateKind.kind:
      return [{ resource: GATES, key: keyOf(object) }];
    case regressionReportKind.kind:
    case 'ReplicaSet':
      return gatesIn(namespace);
    case 'Deployment': {
      const policies = policiesIn(namespace);
      // Flags that outlived their policies: a key without a policy behind it has them taken out.
      const orphan = policies.length === 0 && hasOurEntry(object);
      const sweep = orphan ? [{ resource: PROFILING_POLICIES, key: `${namespace}/` }] : [];
      return [...policies, ...sweep, ...gatesIn(namespace)];
    }
    case 'Pod':
      return [...policiesIn(namespace), ...gatesIn(namespace)];
    case 'PodTemplate':
      return [agents];
    case 'DaemonSet':
      return [agents, ...policiesIn()];
    default:
      return [];
  }
}

const keyOfOurs = ({
  metadata,
}: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): string => `${metadata.namespace}/${metadata.name}`;
