/** The cluster view on informers: one cache per resource, started together, stopped together. */
import type {
  KubeConfig,
  KubernetesObject,
  V1DaemonSet,
  V1Deployment,
  V1Namespace,
  V1Pod,
  V1PodTemplate,
  V1ReplicaSet,
} from '@kubernetes/client-node';
import { type ClusterProfilingPolicy, clusterProfilingPolicyKind } from '../crds/cluster-profiling-policy.ts';
import { type ProfilingPolicy, profilingPolicyKind } from '../crds/profiling-policy.ts';
import { type RegressionGate, regressionGateKind } from '../crds/regression-gate.ts';
import { type RegressionReport, regressionReportKind } from '../crds/regression-report.ts';
import { API_VERSION, type Kind } from '../crds/schema.ts';
import type { KubeClient } from '../kube/client.ts';
import { type InformedResource, type Informer, startInformer } from '../kube/informer.ts';
import type { ClusterView } from './cluster-view.ts';
import { optionalTargets } from './optional-targets.ts';
import { trimNamespace, trimObject, trimPod } from './trimmed-objects.ts';

export interface InformedClusterView extends ClusterView {
  policy(namespace: string, name: string): ProfilingPolicy | undefined;
  clusterPolicy(name: string): ClusterProfilingPolicy | undefined;
  gate(namespace: string, name: string): RegressionGate | undefined;
  agentTemplate(): V1PodTemplate | undefined;
  agentDaemonSet(): V1DaemonSet | undefined;
  /** When the API server last spoke on the quietest watch. */
  lastHeardMs(): number;
  stop(): Promise<void>;
}

export interface ClusterViewOptions {
  readonly kubeConfig: KubeConfig;
  readonly client: KubeClient;
  readonly agentsNamespace: string;
  readonly agentName: string;
  /** Told of each changed object at once, so that the right queue gets the right key. */
  readonly onObject: (object: KubernetesObject) => void;
  readonly onError: (resource: string, error: unknown, retryInMs: number) => void;
}

const COALESCE_MS = 200;

const ofOurs = (kind: Kind): InformedResource => ({
  apiVersion: API_VERSION,
  plural: kind.plural,
  kind: kind.kind,
});
const PODS: InformedResource = { apiVersion: 'v1', plural: 'pods', kind: 'Pod' };
const DEPLOYMENTS: InformedResource = { apiVersion: 'apps/v1', plural: 'deployments', kind: 'Deployment' };
const REPLICA_SETS: InformedResource = { apiVersion: 'apps/v1', plural: 'replicasets', kind: 'ReplicaSet' };

const NAMESPACES: InformedResource = { apiVersion: 'v1', plural: 'namespaces', kind: 'Namespace' };

// ListWatch keeps objects without a namespace of their own type; ours always have one.
type OfKind<T> = T & KubernetesObject;

export function startClusterView(options: ClusterViewOptions): InformedClusterView {
  const changes = changeListeners();
  const started: Informer<unknown>[] = [];
  const inform = <T extends KubernetesObject>(
    resource: InformedResource,
    trim: (object: T) => T,
    onChange: (object: T) => void = () => undefined,
  ): Informer<T> => {
    const informer = startInformer<T>(options.kubeConfig, options.client, resource, {
      trim,
      onError: (error, retryInMs) => options.onError(resource.plural, error, retryInMs),
      onChange: (object) => {
        onChange(object);
        options.onObject(object);
        changes.changed();
      },
    });
    started.push(informer);
    return informer;
  };
  const targets = optionalTargets({
    ...options,
    onObject: (object) => {
      options.onObject(object);
      changes.changed();
    },
  });
  const { agentsNamespace: namespace, agentName } = options;
  const pods = inform<V1Pod>(PODS, trimPod);
  const deployments = inform<V1Deployment>(DEPLOYMENTS, trimObject);
  const replicaSets = inform<V1ReplicaSet>(REPLICA_SETS, trimObject);
  const policies = inform<OfKind<ProfilingPolicy>>(ofOurs(profilingPolicyKind), trimObject);
  const clusterPolicies = inform<OfKind<ClusterProfilingPolicy>>(
    ofOurs(clusterProfilingPolicyKind),
    trimObject,
  );
  const namespaces = inform<V1Namespace>(NAMESPACES, trimNamespace);
  const gates = inform<OfKind<RegressionGate>>(ofOurs(regressionGateKind), trimObject, ({ spec }) =>
    targets.want(spec.targetRef?.kind),
  );
  const reports = inform<OfKind<RegressionReport>>(ofOurs(regressionReportKind), trimObject);
  const templates = inform<V1PodTemplate>(
    { apiVersion: 'v1', plural: 'podtemplates', kind: 'PodTemplate', namespace },
    trimObject,
  );
  const daemonSets = inform<V1DaemonSet>(
    { apiVersion: 'apps/v1', plural: 'daemonsets', kind: 'DaemonSet', namespace },
    trimObject,
  );
  return {
    pods: (ns) => pods.list(ns),
    deployments: (ns) => deployments.list(ns),
    replicaSets: (ns) => replicaSets.list(ns),
    targets: targets.of,
    policies: (ns) => policies.list(ns),
    clusterPolicies: () => clusterPolicies.list(),
    namespaces: () =>
      namespaces
        .list()
        .map(({ metadata }) => ({ name: metadata?.name ?? '', labels: metadata?.labels ?? {} })),
    namespaceLabels: (ns) => namespaces.get(ns)?.metadata?.labels ?? {},
    gates: (ns) => gates.list(ns),
    reports: (ns) => reports.list(ns),
    policy: (ns, name) => policies.get(name, ns),
    clusterPolicy: (name) => clusterPolicies.get(name),
    gate: (ns, name) => gates.get(name, ns),
    agentTemplate: () => templates.get(agentName, namespace),
    agentDaemonSet: () => daemonSets.get(agentName, namespace),
    // In this order: which targets are wanted is known once the gates are.
    synced: () => started.every((informer) => informer.synced()) && targets.settled(),
    lastHeardMs: () => Math.min(...started.map((informer) => informer.lastHeardMs())),
    onChange: changes.listen,
    async stop() {
      changes.stop();
      await Promise.all([targets.stop(), ...started.map((informer) => informer.stop())]);
    },
  };
}

function changeListeners() {
  const listeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  return {
    changed(): void {
      timer ??= setTimeout(() => {
        timer = undefined;
        for (const listener of listeners) {
          listener();
        }
      }, COALESCE_MS);
    },
    listen(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop(): void {
      clearTimeout(timer);
      listeners.clear();
    },
  };
}
