/**
 * What the controller knows of the cluster: read-only views on informer caches.
 * Nothing here asks the API server; everything may be a moment old.
 */
import type { KubernetesObject, V1Deployment, V1Pod, V1ReplicaSet } from '@kubernetes/client-node';
import type { ClusterProfilingPolicy } from '../crds/cluster-profiling-policy.ts';
import type { ProfilingPolicy } from '../crds/profiling-policy.ts';
import type { RegressionGate } from '../crds/regression-gate.ts';
import type { RegressionReport } from '../crds/regression-report.ts';
import type { OptionalTargetKind } from '../crds/target-kinds.ts';

export type Labels = Readonly<Record<string, string>>;

export interface NamespaceLabels {
  readonly name: string;
  readonly labels: Labels;
}

/** Of a kind that is not ours and may be of any version: what is read of it is checked where it is read. */
export interface TargetObject extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface KnownTargets {
  /** Unread: nobody asked for the kind before, or no answer came yet. Objects are there only of what is Read. */
  readonly state: 'Unread' | 'NotServed' | 'NotPermitted' | 'Read';
  readonly objects: readonly TargetObject[];
}

export interface ClusterView {
  pods(namespace?: string): readonly V1Pod[];
  deployments(namespace?: string): readonly V1Deployment[];
  replicaSets(namespace: string): readonly V1ReplicaSet[];
  /** Of kinds that gates name. */
  targets(kind: OptionalTargetKind, namespace: string): KnownTargets;
  policies(namespace?: string): readonly ProfilingPolicy[];
  clusterPolicies(): readonly ClusterProfilingPolicy[];
  /** By their names. */
  namespaces(): readonly NamespaceLabels[];
  namespaceLabels(namespace: string): Labels;
  gates(namespace?: string): readonly RegressionGate[];
  reports(namespace: string): readonly RegressionReport[];
  /** True once every cache has been filled at least once. */
  synced(): boolean;
  /** Calls back, coalesced to at most once per 200 ms, after anything above changed. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}
