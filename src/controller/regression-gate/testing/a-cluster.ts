/** Objects of a small cluster for tests: every field has a default, a test names what it is about. */
import type { V1Deployment, V1Pod, V1ReplicaSet } from '@kubernetes/client-node';
import type { ClusterProfilingPolicy } from '../../../crds/cluster-profiling-policy.ts';
import type { ProfilingPolicy, ProfilingPolicySpec } from '../../../crds/profiling-policy.ts';
import type { RegressionGate, RegressionGateSpec } from '../../../crds/regression-gate.ts';
import type { RegressionReport } from '../../../crds/regression-report.ts';
import { API_VERSION } from '../../../crds/schema.ts';
import type { OptionalTargetKind } from '../../../crds/target-kinds.ts';
import type { ClusterView, KnownTargets, NamespaceLabels } from '../../cluster-view.ts';

export const NAMESPACE = 'shop';
export const START_MS = Date.UTC(2026, 0, 1, 12);

export interface PodFields {
  readonly name?: string;
  readonly node?: string;
  readonly labels?: Record<string, string>;
  readonly owner?: string;
  readonly ownerKind?: string;
  readonly phase?: string;
  readonly terminating?: boolean;
  readonly containers?: readonly string[];
  readonly image?: string;
  readonly startedAtMs?: number;
}

export function aPod(fields: PodFields = {}): V1Pod {
  const { name = 'orders-1', node = 'node-a', labels = { app: 'orders' }, phase = 'Running' } = fields;
  const { containers = ['app'], image = 'orders:1', owner, startedAtMs = START_MS - 600_000 } = fields;
  return {
    metadata: {
      name,
      namespace: NAMESPACE,
      uid: `uid-${name}`,
      labels,
      ...(owner === undefined ? {} : { ownerReferences: [ownedBy(owner, fields.ownerKind)] }),
      ...(fields.terminating === true ? { deletionTimestamp: new Date(START_MS) } : {}),
    },
    spec: { nodeName: node, containers: containers.map((container) => ({ name: container, image })) },
    status: {
      phase,
      containerStatuses: containers.map((container) => ({
        name: container,
        image,
        imageID: `sha256:${image}`,
        ready: true,
        restartCount: 0,
        containerID: `containerd://${name}-${container}`,
        state: { running: { startedAt: new Date(startedAtMs) } },
      })),
    },
  };
}

const ownedBy = (uid: string, kind = 'Owner', name = uid) => ({
  apiVersion: 'apps/v1',
  kind,
  name,
  uid,
  controller: true,
});

export function aDeployment(name = 'orders'): V1Deployment {
  return { metadata: { name, namespace: NAMESPACE, uid: `uid-${name}` } };
}

export interface ReplicaSetFields {
  readonly hash: string;
  readonly revision: number;
  readonly deployment?: string;
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly createdAtMs?: number;
}

export function aReplicaSet(fields: ReplicaSetFields): V1ReplicaSet {
  const { hash, revision, deployment = 'orders', image = 'orders:1', env = {} } = fields;
  const envItems = Object.entries(env).map(([name, value]) => ({ name, value }));
  return {
    metadata: {
      name: `${deployment}-${hash}`,
      namespace: NAMESPACE,
      uid: `uid-${deployment}-${hash}`,
      labels: { app: deployment, 'pod-template-hash': hash },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      creationTimestamp: new Date(fields.createdAtMs ?? START_MS - 3_600_000 + revision),
      ownerReferences: [ownedBy(`uid-${deployment}`, 'Deployment', deployment)],
    },
    spec: {
      selector: {},
      template: {
        metadata: { labels: { app: deployment, 'pod-template-hash': hash } },
        spec: {
          containers: [{ name: 'app', image, ...(envItems.length === 0 ? {} : { env: envItems }) }],
        },
      },
    },
  };
}

export function aPolicy(
  fields: { name?: string; spec?: Partial<ProfilingPolicySpec> } = {},
): ProfilingPolicy {
  const { name = 'jvms', spec = {} } = fields;
  return {
    apiVersion: API_VERSION,
    kind: 'ProfilingPolicy',
    metadata: metadata(name),
    spec: {
      podSelector: { matchLabels: { app: 'orders' } },
      containers: [],
      cpu: { frequencyHz: 49 },
      jvm: {
        flags: { mode: 'Never', strategy: 'DeploymentPatch', acknowledgeRestarts: false },
        symbols: 'Auto',
      },
      requests: { enabled: true, routes: [], spans: { enabled: false } },
      offCpu: { enabled: false, minDuration: '1ms' },
      io: { enabled: false, minDuration: '10ms' },
      ...spec,
    },
  };
}

/** Selects the namespaces of team a. */
export function aClusterPolicy(
  fields: { name?: string; spec?: Partial<ClusterProfilingPolicy['spec']> } = {},
): ClusterProfilingPolicy {
  const { name = 'of-the-cluster', spec = {} } = fields;
  const { namespace: _, ...ofCluster } = metadata(name);
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterProfilingPolicy',
    metadata: ofCluster,
    spec: { ...aPolicy().spec, namespaceSelector: { matchLabels: { team: 'a' } }, ...spec },
  };
}

export function aGate(
  fields: Partial<Omit<RegressionGate, 'spec'>> & { readonly spec?: Partial<RegressionGateSpec> } = {},
): RegressionGate {
  const { spec, ...rest } = fields;
  return {
    apiVersion: API_VERSION,
    kind: 'RegressionGate',
    metadata: metadata('orders-cpu'),
    ...rest,
    spec: {
      baseline: { podSelector: { matchLabels: { app: 'orders', track: 'stable' } } },
      canary: { podSelector: { matchLabels: { app: 'orders', track: 'canary' } } },
      checks: {
        cpu: { function: { margin: '2%' }, perRequest: { margin: '10%', decides: false } },
        latency: [{ quantile: 'p99', margin: { relative: '10%', absolute: '2ms' }, required: false }],
        errors: { margin: '0.5%', required: false },
      },
      falseFailureRate: '1%',
      duration: { warmUp: '1m', min: '3m', deadline: '30m' },
      reportHistoryLimit: 3,
      ...spec,
    },
  };
}

/** The spec of a gate on Deployment orders. */
export const aDeploymentGate = (fields: Partial<RegressionGate> = {}): RegressionGate => {
  const gate = aGate(fields);
  const { baseline: _, canary: __, ...spec } = gate.spec;
  return {
    ...gate,
    spec: { ...spec, targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' } },
  };
};

export function metadata(name: string): RegressionGate['metadata'] {
  return {
    name,
    namespace: NAMESPACE,
    uid: `uid-${name}`,
    generation: 1,
    resourceVersion: '1',
    creationTimestamp: new Date(START_MS - 1_800_000).toISOString(),
  };
}

export interface Cluster {
  readonly pods: readonly V1Pod[];
  readonly deployments: readonly V1Deployment[];
  readonly replicaSets: readonly V1ReplicaSet[];
  /** Of kinds that are not here nothing has been read. */
  readonly targets: Partial<Readonly<Record<OptionalTargetKind, KnownTargets>>>;
  readonly policies: readonly ProfilingPolicy[];
  readonly clusterPolicies: readonly ClusterProfilingPolicy[];
  readonly namespaces: readonly NamespaceLabels[];
  readonly gates: readonly RegressionGate[];
  readonly reports: readonly RegressionReport[];
}

export interface TestView extends ClusterView {
  /** Replaces parts of the cluster and calls whoever listens. */
  change(parts: Partial<Cluster>): void;
}

/** A view on objects held here: the port the informers fill in production. */
export function aView(parts: Partial<Cluster> = {}): TestView {
  const nothing: Cluster = {
    pods: [],
    deployments: [],
    replicaSets: [],
    targets: {},
    policies: [],
    clusterPolicies: [],
    namespaces: [],
    gates: [],
    reports: [],
  };
  let cluster: Cluster = { ...nothing, ...parts };
  const listeners = new Set<() => void>();
  const inside =
    <T extends { metadata?: { namespace?: string } }>(kind: (cluster: Cluster) => readonly T[]) =>
    (namespace?: string): readonly T[] =>
      kind(cluster).filter((object) => namespace === undefined || object.metadata?.namespace === namespace);
  return {
    pods: inside((all) => all.pods),
    deployments: inside((all) => all.deployments),
    replicaSets: inside((all) => all.replicaSets),
    targets: (kind) => cluster.targets[kind] ?? { state: 'Unread', objects: [] },
    policies: inside((all) => all.policies),
    clusterPolicies: () => cluster.clusterPolicies,
    namespaces: () => cluster.namespaces,
    namespaceLabels: (namespace) => cluster.namespaces.find(({ name }) => name === namespace)?.labels ?? {},
    gates: inside((all) => all.gates),
    reports: inside((all) => all.reports),
    synced: () => true,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    change(next) {
      cluster = { ...cluster, ...next };
      for (const listener of listeners) listener();
    },
  };
}

export interface ReportFields {
  readonly attempt?: number;
  readonly generation?: number;
  readonly baselineHash?: string;
  readonly canaryHash?: string;
  readonly status?: RegressionReport['status'];
}

/** The report of an evaluation that began at START_MS. */
export function aReport(fields: ReportFields = {}): RegressionReport {
  const { attempt = 1, generation = 1, baselineHash = 'aaa', canaryHash = 'bbb' } = fields;
  return {
    apiVersion: API_VERSION,
    kind: 'RegressionReport',
    metadata: { ...metadata(`orders-cpu-${attempt}`), ownerReferences: [{ uid: 'uid-orders-cpu' }] },
    spec: {
      gate: 'orders-cpu',
      gateGeneration: generation,
      baselineHash,
      canaryHash,
      images: { baseline: [], canary: [] },
      attempt,
    },
    status: { verdict: 'Collecting', startedAt: new Date(START_MS).toISOString(), ...fields.status },
  };
}
