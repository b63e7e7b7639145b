/** Everything a policy's status is decided from, read from the caches. Asks nobody. */
import type { V1DaemonSet, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { selects } from '../../kube/label-selector.ts';
import type { AgentReports, AgentState, ContainerState } from '../agent-reports.ts';
import type { ClusterView, Labels } from '../cluster-view.ts';
import { type ReplicaSetOwners, replicaSetOwners, workloadOf } from '../pod-owner.ts';
import type { PolicyLimits } from '../settings/policy-limits.ts';
import type { CreationSeen } from './decide-creation.ts';
import { carriedIn } from './plan-creation.ts';
import type { Wanted } from './plan-injection.ts';
import { isOfCluster, policiesIn, policyOf, policyWants } from './precedence.ts';
import type { WorkloadFlags } from './settle-flags.ts';

export interface SelectedContainer {
  readonly namespace: string;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly pod: string;
  readonly container: string;
  /** False before the kubelet has started it. */
  readonly running: boolean;
  readonly phase: string;
  readonly state: ContainerState | undefined;
  /** It has our flags, from its template or from its creation. */
  readonly hasFlags: boolean;
}

/** Pods that the policy selects and another one profiles. */
export interface Overruled {
  readonly by: AnyProfilingPolicy;
  readonly pods: number;
}

export interface Observed {
  readonly policy: AnyProfilingPolicy;
  /** Its own, or those it selects. */
  readonly namespaces: readonly string[];
  /** That it selects, overruled ones among them. */
  readonly pods: number;
  readonly overruled: readonly Overruled[];
  /** Of the others. */
  readonly containers: readonly SelectedContainer[];
  readonly agents: readonly AgentState[];
  readonly daemonSet: V1DaemonSet | undefined;
  /** The Deployments of which this policy counts, as far as flags are or were asked for. */
  readonly flags: readonly WorkloadFlags[];
  /** Only with mode OnPodCreation. */
  readonly creation?: CreationSeen;
  /** Deployments whose pods it selects and of which another policy counts. */
  readonly overruledDeployments: number;
  /** What the install allows. */
  readonly limits: PolicyLimits;
  /** Names of the sinks for profiles that the install has. */
  readonly sinks: readonly string[];
  readonly listeningSinceMs: number;
  readonly nowMs: number;
}

export interface GatherFrom {
  readonly view: ClusterView & { agentDaemonSet(): V1DaemonSet | undefined };
  readonly reports: AgentReports;
}

export function gather(
  { view, reports }: GatherFrom,
  policy: AnyProfilingPolicy,
  settled: Pick<Observed, 'flags' | 'creation' | 'limits' | 'sinks' | 'listeningSinceMs' | 'nowMs'>,
): Observed {
  const namespaces = namespacesOf(view, policy);
  const inEach = namespaces.map((namespace) => gatherIn({ view, reports }, policy, namespace));
  const selected = inEach.flatMap(({ counting }) => counting);
  return {
    policy,
    namespaces,
    pods: selected.length,
    overruled: overruledOf(policy, selected),
    containers: inEach.flatMap(({ containers }) => containers),
    overruledDeployments: inEach.reduce((sum, each) => sum + each.overruledDeployments, 0),
    agents: reports.agents(),
    daemonSet: view.agentDaemonSet(),
    ...settled,
  };
}

/** Where the policy's pods may be. */
export const namespacesOf = (view: ClusterView, policy: AnyProfilingPolicy): readonly string[] =>
  isOfCluster(policy)
    ? view
        .namespaces()
        .filter(({ labels }) => selects(policy.spec.namespaceSelector, labels))
        .map(({ name }) => name)
    : [policy.metadata.namespace];

interface InNamespace {
  /** Of each pod that is selected, the policy that counts. */
  readonly counting: readonly AnyProfilingPolicy[];
  readonly containers: readonly SelectedContainer[];
  readonly overruledDeployments: number;
}

function gatherIn({ view, reports }: GatherFrom, policy: AnyProfilingPolicy, namespace: string): InNamespace {
  const policies = policiesIn(view, namespace);
  const counting = (labels: Labels | undefined) => policyOf(labels, policies) ?? policy;
  const pods = livePods(view, namespace).filter(({ metadata }) =>
    selects(policy.spec.podSelector, metadata?.labels),
  );
  const own = pods.filter(({ metadata }) => isSame(counting(metadata?.labels), policy));
  const owners = replicaSetOwners(view.replicaSets(namespace));
  const templates = view.deployments(namespace).map(({ spec }) => spec?.template.metadata?.labels);
  return {
    counting: pods.map(({ metadata }) => counting(metadata?.labels)),
    containers: own.flatMap((pod) => selectedContainers(owners, reports, policy, pod)),
    overruledDeployments: templates.filter(
      (labels) => selects(policy.spec.podSelector, labels) && !isSame(counting(labels), policy),
    ).length,
  };
}

function overruledOf(
  policy: AnyProfilingPolicy,
  counting: readonly AnyProfilingPolicy[],
): readonly Overruled[] {
  const others = counting.filter((other) => !isSame(other, policy));
  const groups = [...Map.groupBy(others, ({ metadata }) => metadata.uid).values()];
  return groups
    .flatMap((group) => (group[0] === undefined ? [] : [{ by: group[0], pods: group.length }]))
    .toSorted((a, b) => b.pods - a.pods);
}

export const isSame = (a: AnyProfilingPolicy, b: AnyProfilingPolicy): boolean =>
  a.metadata.uid === b.metadata.uid;

/** Pods that have not ended and are not on their way out. */
export function livePods(view: Pick<ClusterView, 'pods'>, namespace: string): readonly V1Pod[] {
  return view
    .pods(namespace)
    .filter(
      ({ metadata, status }) =>
        metadata?.deletionTimestamp === undefined &&
        status?.phase !== 'Succeeded' &&
        status?.phase !== 'Failed',
    );
}

function selectedContainers(
  owners: ReplicaSetOwners,
  reports: AgentReports,
  policy: AnyProfilingPolicy,
  pod: V1Pod,
): readonly SelectedContainer[] {
  const owner = workloadOf(pod, owners) ?? { kind: 'Pod', name: pod.metadata?.name ?? '' };
  return (pod.spec?.containers ?? [])
    .filter(({ name }) => policyWants(policy, name))
    .map((own) => ({ own, container: own.name }))
    .map(({ own, container }) => ({
      namespace: pod.metadata?.namespace ?? '',
      owner,
      pod: pod.metadata?.name ?? '',
      container,
      running:
        pod.status?.containerStatuses?.find(({ name }) => name === container)?.state?.running !== undefined,
      phase: pod.status?.phase ?? 'Pending',
      state: reports.container(pod.metadata?.uid ?? '', container),
      hasFlags: carriedIn(own).length > 0,
    }));
}

/** What the policy that counts wants of a Deployment; undefined when it wants no flags in it. */
export function wantedOf(
  policies: readonly AnyProfilingPolicy[],
  deployment: V1Deployment,
): Wanted | undefined {
  const policy = policyOf(deployment.spec?.template.metadata?.labels, policies);
  if (policy === undefined) return undefined;
  const { containers, jvm } = policy.spec;
  if (jvm.flags.mode !== 'Immediate' || !jvm.flags.acknowledgeRestarts) return undefined;
  return { named: new Set(containers), everyJvm: containers.length === 0 };
}
