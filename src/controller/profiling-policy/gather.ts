/** Everything a ProfilingPolicy's status is decided from, read from the caches. Asks nobody. */
import type { V1DaemonSet, V1Deployment, V1Pod } from '@kubernetes/client-node';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import { selects } from '../../kube/label-selector.ts';
import type { AgentReports, AgentState, ContainerState } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type ReplicaSetOwners, replicaSetOwners, workloadOf } from '../pod-owner.ts';
import { isMeshProxy } from './flag-variables.ts';
import type { Wanted } from './plan-injection.ts';
import type { WorkloadFlags } from './settle-flags.ts';

export interface SelectedContainer {
  readonly owner: { readonly kind: string; readonly name: string };
  readonly pod: string;
  readonly container: string;
  /** False before the kubelet has started it. */
  readonly running: boolean;
  readonly phase: string;
  readonly state: ContainerState | undefined;
}

export interface Observed {
  readonly policy: ProfilingPolicy;
  readonly pods: number;
  readonly containers: readonly SelectedContainer[];
  readonly agents: readonly AgentState[];
  readonly daemonSet: V1DaemonSet | undefined;
  /** The Deployments whose pods this policy selects and asks flags for. */
  readonly flags: readonly WorkloadFlags[];
  readonly listeningSinceMs: number;
  readonly nowMs: number;
}

export interface GatherFrom {
  readonly view: ClusterView & { agentDaemonSet(): V1DaemonSet | undefined };
  readonly reports: AgentReports;
}

export function gather(
  { view, reports }: GatherFrom,
  policy: ProfilingPolicy,
  settled: Pick<Observed, 'flags' | 'listeningSinceMs' | 'nowMs'>,
): Observed {
  const pods = livePods(view, policy.metadata.namespace).filter((pod) =>
    selects(policy.spec.podSelector, pod.metadata?.labels),
  );
  const owners = replicaSetOwners(view.replicaSets(policy.metadata.namespace));
  return {
    policy,
    pods: pods.length,
    containers: pods.flatMap((pod) => selectedContainers(owners, reports, policy, pod)),
    agents: reports.agents(),
    daemonSet: view.agentDaemonSet(),
    ...settled,
  };
}

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
  policy: ProfilingPolicy,
  pod: V1Pod,
): readonly SelectedContainer[] {
  const owner = workloadOf(pod, owners) ?? { kind: 'Pod', name: pod.metadata?.name ?? '' };
  const names = (pod.spec?.containers ?? []).map(({ name }) => name);
  return names
    .filter((name) =>
      policy.spec.containers.length > 0 ? policy.spec.containers.includes(name) : !isMeshProxy(name),
    )
    .map((container) => ({
      owner,
      pod: pod.metadata?.name ?? '',
      container,
      running:
        pod.status?.containerStatuses?.find(({ name }) => name === container)?.state?.running !== undefined,
      phase: pod.status?.phase ?? 'Pending',
      state: reports.container(pod.metadata?.uid ?? '', container),
    }));
}

/** What the policies of a namespace together want of a Deployment; undefined when none wants flags in it. */
export function wantedOf(policies: readonly ProfilingPolicy[], deployment: V1Deployment): Wanted | undefined {
  const asking = policies.filter((policy) => asksForFlags(policy, deployment));
  if (asking.length === 0) {
    return undefined;
  }
  return {
    named: new Set(asking.flatMap((policy) => policy.spec.containers)),
    everyJvm: asking.some((policy) => policy.spec.containers.length === 0),
  };
}

export function asksForFlags(policy: ProfilingPolicy, deployment: V1Deployment): boolean {
  const { mode, acknowledgeRestarts } = policy.spec.jvm.flags;
  return (
    mode === 'Immediate' &&
    acknowledgeRestarts &&
    policy.metadata.deletionTimestamp === undefined &&
    selects(policy.spec.podSelector, deployment.spec?.template.metadata?.labels)
  );
}
