/**
 * What each node's agent is to do, planned from the cluster as the caches show it. Pure.
 *
 * container of a running pod on the node          → assigned
 * no policy selects the pod                       → no
 * its policy names containers, not this one       → no
 * its policy names none, it is a mesh proxy       → no
 * it has no running state with an id yet          → no
 * otherwise                                       → yes; gated when a gate may compare the pod, and sampled as often as its
 *                                                   policies say, or as a gate that is open asks for
 *
 * Containers of pods under a policy of mode Live are named as soon as the pod has a node, before they run.
 */
import { createHash } from 'node:crypto';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import { parseLatencyMs } from '../../crds/quantities.ts';
import { selects } from '../../kube/label-selector.ts';
import {
  type AssignedContainer,
  type AssignedRequests,
  type Assignment,
  type LiveContainer,
  type LookedFor,
  MOST_HZ,
  MOST_ROUTE_PATTERNS,
  type SymbolMode,
} from '../../wire/assignment.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type ReplicaSetOwners, replicaSetOwners, workloadOf } from '../pod-owner.ts';
import { isMeshProxy } from '../profiling-policy/flag-variables.ts';
import { podsUnderGate } from '../regression-gate/arms.ts';
import { raisedRates } from './raised-rates.ts';

/** The cluster, sorted once per change instead of once per node. */
export interface AssignmentIndex {
  readonly podsOfNode: ReadonlyMap<string, readonly V1Pod[]>;
  readonly policiesOfNamespace: ReadonlyMap<string, readonly ProfilingPolicy[]>;
  readonly gatedPodUids: ReadonlySet<string>;
  /** Of the pods of gates that have raised it, both arms alike. */
  readonly raisedHz: ReadonlyMap<string, number>;
  readonly owners: ReplicaSetOwners;
}

export const WINDOW_MS = 10_000;
const DEFAULT_HZ = 49;
/** Never a file or a signal; only where it has to be; always. */
const LEAST_TOUCH_FIRST: readonly SymbolMode[] = ['VmStructs', 'Auto', 'PerfMap'];
/** What an agent accepts; a node runs 110 pods by default and 250 on the largest clouds. */
const MAX_CONTAINERS = 512;

export function indexAssignments(view: ClusterView): AssignmentIndex {
  const gates = view.gates().map((gate) => ({ gate, pods: podsUnderGate(gate, view) }));
  const gated = gates.flatMap(({ pods }) => pods);
  const policiesOfNamespace = Map.groupBy(view.policies(), (policy) => policy.metadata.namespace);
  const replicaSets = [...policiesOfNamespace.keys()].flatMap((namespace) => view.replicaSets(namespace));
  return {
    podsOfNode: Map.groupBy(view.pods(), (pod) => pod.spec?.nodeName ?? ''),
    policiesOfNamespace,
    gatedPodUids: new Set(gated.map((pod) => pod.metadata?.uid ?? '')),
    raisedHz: raisedRates(gates),
    owners: replicaSetOwners(replicaSets),
  };
}

export const planAssignment = (view: ClusterView, node: string, storeId: string): Assignment =>
  assignmentOf(indexAssignments(view), node, storeId);

export function assignmentOf(index: AssignmentIndex, node: string, storeId: string): Assignment {
  const watched = (index.podsOfNode.get(node) ?? []).flatMap((pod) => watchedPod(pod, index));
  const frequencyHz = Math.max(
    ...watched.flatMap(({ policies }) => policies.map((policy) => policy.spec.cpu.frequencyHz)),
    watched.length === 0 ? DEFAULT_HZ : 1,
  );
  const containers = watched
    .flatMap(({ pod, policies }) => assignedContainers(pod, policies, index))
    .sort(gatedFirst)
    .slice(0, MAX_CONTAINERS)
    .map((container) => withoutRate(container, frequencyHz));
  const live = (index.podsOfNode.get(node) ?? [])
    .flatMap((pod) => liveContainers(pod, index))
    .sort((a, b) => (`${a.podUid} ${a.container}` < `${b.podUid} ${b.container}` ? -1 : 1))
    .slice(0, MAX_CONTAINERS);
  const work = { store: storeId, windowMs: WINDOW_MS, frequencyHz, containers, live };
  const version = createHash('sha256').update(JSON.stringify(work)).digest('base64url').slice(0, 22);
  return { version, ...work };
}

interface WatchedPod {
  readonly pod: V1Pod;
  readonly policies: readonly ProfilingPolicy[];
}

/** None or one: a pod that runs and that at least one policy selects. */
function watchedPod(pod: V1Pod, index: AssignmentIndex): readonly WatchedPod[] {
  if (pod.status?.phase !== 'Running') return [];
  const policies = policiesFor(pod, index.policiesOfNamespace.get(pod.metadata?.namespace ?? '') ?? []);
  return policies.length === 0 ? [] : [{ pod, policies }];
}

export const policiesFor = (pod: V1Pod, policies: readonly ProfilingPolicy[]): readonly ProfilingPolicy[] =>
  policies.filter(
    ({ metadata, spec }) =>
      metadata.deletionTimestamp === undefined && selects(spec.podSelector, pod.metadata?.labels),
  );

export const policyWants = (policy: ProfilingPolicy, container: string): boolean =>
  policy.spec.containers.length === 0 ? !isMeshProxy(container) : policy.spec.containers.includes(container);

/** Its JVMs are met while they start: by then a pod has to be known. */
function liveContainers(pod: V1Pod, index: AssignmentIndex): readonly LiveContainer[] {
  const { namespace = '', uid = '', deletionTimestamp } = pod.metadata ?? {};
  const isStillToRun = pod.status?.phase === 'Pending' || pod.status?.phase === 'Running';
  if (!isStillToRun || deletionTimestamp !== undefined) return [];
  const asking = policiesFor(pod, index.policiesOfNamespace.get(namespace) ?? []).filter(
    ({ spec }) => spec.jvm.flags.mode === 'Live',
  );
  return (pod.spec?.containers ?? [])
    .filter(({ name }) => asking.some((policy) => policyWants(policy, name)))
    .map(({ name }) => ({ podUid: uid, container: name }));
}

function assignedContainers(
  pod: V1Pod,
  policies: readonly ProfilingPolicy[],
  index: AssignmentIndex,
): readonly AssignedContainer[] {
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  return (pod.status?.containerStatuses ?? []).flatMap((status) => {
    const running = runningContainer(status);
    const wanting = policies.filter((policy) => policyWants(policy, status.name));
    if (running === undefined || wanting.length === 0) return [];
    const gated = index.gatedPodUids.has(uid);
    const symbols = symbolsOf(wanting);
    const requests = gated ? requestsOf(wanting) : undefined;
    const workload = workloadOf(pod, index.owners);
    const offCpu = leastOf(wanting, 'offCpu');
    const io = leastOf(wanting, 'io');
    const baseHz = Math.max(...wanting.map(({ spec }) => spec.cpu.frequencyHz));
    const assigned = {
      frequencyHz: Math.min(MOST_HZ, Math.max(baseHz, index.raisedHz.get(uid) ?? 0)),
      namespace,
      pod: name,
      podUid: uid,
      container: status.name,
      ...running,
      gated,
      symbols,
    };
    return [
      {
        ...assigned,
        ...(workload && { workload }),
        ...(requests && { requests }),
        ...(offCpu && { offCpu }),
        ...(io && { io }),
      },
    ];
  });
}

/** The node's need not be said again. */
const withoutRate = (
  { frequencyHz, ...container }: AssignedContainer,
  ofNodeHz: number,
): AssignedContainer =>
  frequencyHz === undefined || frequencyHz === ofNodeHz ? container : { ...container, frequencyHz };

/** Of several wishes the one that touches the JVM least. */
function symbolsOf(policies: readonly ProfilingPolicy[]): SymbolMode {
  const wishes = new Set(policies.map(({ spec }) => spec.jvm.symbols));
  return LEAST_TOUCH_FIRST.find((mode) => wishes.has(mode)) ?? 'Auto';
}

/** Watched while a gate needs it, unless one of the policies says no. Routes of the policy that is first by name come first. */
function requestsOf(policies: readonly ProfilingPolicy[]): AssignedRequests | undefined {
  if (policies.some(({ spec }) => !spec.requests.enabled)) return undefined;
  const byName = policies.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const routes = new Set(byName.flatMap(({ spec }) => spec.requests.routes));
  const spans = policies.every(({ spec }) => spec.requests.spans.enabled);
  return { routes: [...routes].slice(0, MOST_ROUTE_PATTERNS), ...(spans ? { spans } : {}) };
}

/** Where one of the policies asks for it, by the shortest of their durations. */
function leastOf(policies: readonly ProfilingPolicy[], what: 'offCpu' | 'io'): LookedFor | undefined {
  const asking = policies.filter(({ spec }) => spec[what].enabled);
  if (asking.length === 0) return undefined;
  return { leastMs: Math.min(...asking.map(({ spec }) => parseLatencyMs(spec[what].minDuration))) };
}

function runningContainer(
  status: V1ContainerStatus,
): { readonly containerId: string; readonly startedAtMs: number } | undefined {
  const containerId = /^[a-z0-9.-]+:\/\/(.+)$/.exec(status.containerID ?? '')?.[1];
  const startedAtMs = new Date(status.state?.running?.startedAt ?? Number.NaN).getTime();
  if (containerId === undefined || Number.isNaN(startedAtMs)) return undefined;
  return { containerId, startedAtMs };
}

/** Should a node ever run more than an agent accepts, verdicts come first; otherwise any stable order does. */
function gatedFirst(a: AssignedContainer, b: AssignedContainer): number {
  const key = ({ gated, podUid, container }: AssignedContainer) => `${gated ? 0 : 1} ${podUid} ${container}`;
  return key(a) < key(b) ? -1 : 1;
}
