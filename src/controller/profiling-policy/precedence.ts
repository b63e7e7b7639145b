/**
 * Which of several policies a pod is profiled by: one, with all it says, so that no pod is ever profiled by two settings. Pure.
 *
 * of two policies that match a pod                 → counts
 * one of its namespace, one of the cluster         → that of the namespace, which is nearer to the pod
 * both of the same kind                            → the older by metadata.creationTimestamp
 * both made in the same second, as it is written   → the first by name
 *
 * A policy that is being deleted matches nothing any more. The age of an object cannot be written by its user, so nobody takes a pod from
 * a policy that has it but by one of the namespace, and that only for pods of that namespace.
 */
import type { AnyProfilingPolicy, ClusterProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { selects } from '../../kube/label-selector.ts';
import type { ClusterView, Labels } from '../cluster-view.ts';
import { isMeshProxy } from './flag-variables.ts';

export type PolicyView = Pick<ClusterView, 'policies' | 'clusterPolicies' | 'namespaceLabels'>;

/** The policies in force in a namespace, whose pods they may select; the first that selects one counts. */
export function policiesIn(view: PolicyView, namespace: string): readonly AnyProfilingPolicy[] {
  const clusterWide = view.clusterPolicies();
  const labels = clusterWide.length === 0 ? {} : view.namespaceLabels(namespace);
  return [
    ...view.policies(namespace).filter(isInForce).toSorted(olderFirst),
    ...clusterWide
      .filter((policy) => isInForce(policy) && selects(policy.spec.namespaceSelector, labels))
      .toSorted(olderFirst),
  ];
}

/** The one that counts, of policies as policiesIn has them. */
export const policyOf = <Policy extends AnyProfilingPolicy>(
  labels: Labels | undefined,
  policies: readonly Policy[],
): Policy | undefined => policies.find(({ spec }) => selects(spec.podSelector, labels));

export const policyWants = ({ spec }: AnyProfilingPolicy, container: string): boolean =>
  spec.containers.length === 0 ? !isMeshProxy(container) : spec.containers.includes(container);

export const isOfCluster = (policy: AnyProfilingPolicy): policy is ClusterProfilingPolicy =>
  policy.metadata.namespace === undefined;

export const isInForce = ({ metadata }: AnyProfilingPolicy): boolean =>
  metadata.deletionTimestamp === undefined;

function olderFirst(a: AnyProfilingPolicy, b: AnyProfilingPolicy): number {
  const age = madeAtMs(a) - madeAtMs(b);
  if (age !== 0) return age;
  return a.metadata.name < b.metadata.name ? -1 : Number(a.metadata.name > b.metadata.name);
}

// What client-node has parsed is a Date; what a list has brought is text.
const madeAtMs = ({ metadata }: AnyProfilingPolicy): number => new Date(metadata.creationTimestamp).getTime();
