/** Which keys are looked at after an object changed. Pods and Deployments concern the policies of their namespace and its gates. */
import type { KubernetesObject, V1Deployment } from '@kubernetes/client-node';
import {
  type AnyProfilingPolicy,
  type ClusterProfilingPolicy,
  clusterProfilingPolicyKind,
} from '../crds/cluster-profiling-policy.ts';
import { type ProfilingPolicy, profilingPolicyKind } from '../crds/profiling-policy.ts';
import { type RegressionGate, regressionGateKind } from '../crds/regression-gate.ts';
import { regressionReportKind } from '../crds/regression-report.ts';
import { API_VERSION } from '../crds/schema.ts';
import { selects } from '../kube/label-selector.ts';
import { markOf } from './acting/pause-mark.ts';
import { AGENT_NAME } from './agents/plan-daemon-set.ts';
import { POD_TEMPLATES } from './agents/reconciler.ts';
import type { ClusterView, Labels } from './cluster-view.ts';
import { keyOf, type WatchedResource } from './operator-base.ts';
import { hasOurEntry } from './profiling-policy/flag-variables.ts';
import { CLUSTER_PROFILING_POLICIES, PROFILING_POLICIES } from './profiling-policy/reconciler.ts';

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
  readonly view: Pick<
    ClusterView,
    'policies' | 'clusterPolicies' | 'namespaces' | 'namespaceLabels' | 'gates'
  >;
  readonly agentsNamespace: string;
}

export function wakeUps(object: KubernetesObject, { view, agentsNamespace }: WakeUpOptions): Wake[] {
  const agents: Wake = { resource: POD_TEMPLATES, key: `${agentsNamespace}/${AGENT_NAME}` };
  const namespace = object.metadata?.namespace ?? '';
  const policiesIn = (ns?: string): Wake[] => view.policies(ns).map(wakeOfPolicy);
  const gatesIn = (ns: string): Wake[] =>
    view.gates(ns).map((gate) => ({ resource: GATES, key: keyOfOurs(gate) }));
  switch (object.kind ?? '') {
    case profilingPolicyKind.kind: {
      const policy = object as unknown as ProfilingPolicy; // of the informer of that kind
      const others = isNews(policy, view.policies(namespace))
        ? [...policiesIn(namespace), ...clusterPoliciesOver(view, namespace).map(wakeOfPolicy)]
        : [];
      return [{ resource: PROFILING_POLICIES, key: keyOf(object) }, agents, ...others];
    }
    case clusterProfilingPolicyKind.kind: {
      const policy = object as unknown as ClusterProfilingPolicy;
      const others = isNews(policy, view.clusterPolicies())
        ? [...policiesIn(), ...view.clusterPolicies().map(wakeOfPolicy)]
        : [];
      return [{ resource: CLUSTER_PROFILING_POLICIES, key: keyOf(object) }, agents, ...others];
    }
    case 'Namespace': // its labels say which of the cluster's policies are in force in it
      return [...view.clusterPolicies().map(wakeOfPolicy), ...policiesIn(object.metadata?.name)];
    case regressionGateKind.kind:
      return [{ resource: GATES, key: keyOf(object) }];
    case 'StatefulSet':
    case 'Rollout':
    case 'Canary':
      return [
        ...view
          .gates(object.metadata?.namespace)
          .filter(({ spec }) => isTarget(spec.targetRef, object))
          .map((gate) => ({ resource: GATES, key: keyOfOurs(gate) })),
        ...orphanOf(object, view),
      ];
    case regressionReportKind.kind:
    case 'ReplicaSet':
      return gatesIn(namespace);
    case 'Deployment': {
      const { spec }: V1Deployment = object;
      const policies = policiesIn(namespace);
      // Flags that outlived their policies: a key without a policy behind it has them taken out.
      const orphan = policies.length === 0 && hasOurEntry(object);
      const sweep = orphan ? [{ resource: PROFILING_POLICIES, key: `${namespace}/` }] : [];
      const clusterWide = selecting(view, namespace, spec?.template.metadata?.labels);
      return [...policies, ...clusterWide, ...sweep, ...gatesIn(namespace), ...orphanOf(object, view)];
    }
    case 'Pod':
      return [
        ...policiesIn(namespace),
        ...selecting(view, namespace, object.metadata?.labels),
        ...gatesIn(namespace),
      ];
    case 'PodTemplate':
      return [agents];
    case 'DaemonSet':
      return [agents, ...policiesIn(), ...view.clusterPolicies().map(wakeOfPolicy)];
    default:
      return [];
  }
}

/** A pause that outlived its gate: a key without a gate behind it has it released. */
function orphanOf(object: KubernetesObject, view: WakeUpOptions['view']): Wake[] {
  const gate = markOf(object)?.gate;
  const { namespace = '' } = object.metadata ?? {};
  if (gate === undefined || view.gates(namespace).some(({ metadata }) => metadata.name === gate)) return [];
  return [{ resource: GATES, key: `${namespace}/${gate}` }];
}

/** An object without a name stands for all of its kind, which can be read from now on, or cannot. */
const isTarget = (ref: RegressionGate['spec']['targetRef'], { kind, metadata }: KubernetesObject): boolean =>
  ref?.kind === kind && (metadata?.name === undefined || metadata.name === ref?.name);

/** A policy changes what counts for others when its spec does, when it comes and when it goes; its status changes nothing. */
function isNews(policy: AnyProfilingPolicy, known: readonly AnyProfilingPolicy[]): boolean {
  const { uid, generation, deletionTimestamp } = policy.metadata;
  const isGone = !known.some(({ metadata }) => metadata.uid === uid);
  return isGone || deletionTimestamp !== undefined || policy.status?.observedGeneration !== generation;
}

/** Of the cluster's policies only those that it is about: they are few, and each looks at many namespaces. */
const selecting = (view: WakeUpOptions['view'], namespace: string, labels: Labels | undefined): Wake[] =>
  clusterPoliciesOver(view, namespace)
    .filter(({ spec }) => selects(spec.podSelector, labels))
    .map(wakeOfPolicy);

function clusterPoliciesOver(view: WakeUpOptions['view'], namespace: string): ClusterProfilingPolicy[] {
  const clusterWide = view.clusterPolicies();
  if (clusterWide.length === 0) return [];
  const labels = view.namespaceLabels(namespace);
  return clusterWide.filter(({ spec }) => selects(spec.namespaceSelector, labels));
}

const wakeOfPolicy = (policy: AnyProfilingPolicy): Wake =>
  policy.metadata.namespace === undefined
    ? { resource: CLUSTER_PROFILING_POLICIES, key: policy.metadata.name }
    : { resource: PROFILING_POLICIES, key: keyOfOurs(policy) };

const keyOfOurs = ({
  metadata,
}: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string => `${metadata.namespace ?? ''}/${metadata.name}`;
