/**
 * What each node's agent is to do, planned from the cluster as the caches show it. Pure.
 *
 * container of a running pod on the node          → assigned
 * no policy selects the pod                       → no
 * several do                                      → one counts (profiling-policy/precedence.ts)
 * it names containers, not this one               → no
 * it names none, this is a mesh proxy             → no
 * it has no running state with an id yet          → no
 * otherwise                                       → yes; gated when a gate may compare the pod or somebody looks at it, and sampled as often as its
 *                                                   policy says, or as a gate that is open asks for
 *
 * Containers of pods under a policy of mode Live are named as soon as the pod has a node, before they run.
 */
import { createHash } from 'node:crypto';
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { parseLatencyMs } from '../../crds/quantities.ts';
import {
  type AgentSettings,
  type AssignedContainer,
  type AssignedProfiles,
  type AssignedRequests,
  type Assignment,
  type LiveContainer,
  type LookedFor,
  MOST_HZ,
  MOST_ROUTE_PATTERNS,
} from '../../wire/assignment.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type ReplicaSetOwners, replicaSetOwners, workloadOf } from '../pod-owner.ts';
import { policiesIn, policyOf, policyWants } from '../profiling-policy/precedence.ts';
import { podsUnderGate } from '../regression-gate/arms.ts';
import { revisionLabel } from '../regression-gate/revisions.ts';
import { gateIsJudged } from './judged-gates.ts';
import { type GatePods, raisedRates } from './raised-rates.ts';

/** The cluster, sorted once per change instead of once per node. */
export interface AssignmentIndex {
  readonly podsOfNode: ReadonlyMap<string, readonly V1Pod[]>;
  /** The first that selects a pod counts. */
  readonly policiesOfNamespace: ReadonlyMap<string, readonly AnyProfilingPolicy[]>;
  readonly gatedPodUids: ReadonlySet<string>;
  /** Those of them whose gate has an evaluation that is open. */
  readonly judgedPodUids: ReadonlySet<string>;
  /** Those that somebody looks at now. */
  readonly watchedPodUids: ReadonlySet<string>;
  /** Of the pods of gates that have raised it, both arms alike. */
  readonly raisedHz: ReadonlyMap<string, number>;
  readonly owners: ReplicaSetOwners;
}

/** While a pod of the node is judged or looked at, or a policy asks what one waits for, or reads and writes. */
const SHORT_WINDOW_MS = 10_000;
/** Otherwise: a look of src/detect/looks.ts, so that history and placebos are of the same looks with either length. */
const RESTING_WINDOW_MS = 30_000;
const DEFAULT_HZ = 49;
/** What an agent accepts; a node runs 110 pods by default and 250 on the largest clouds. */
const MAX_CONTAINERS = 512;

/** Half a millisecond each, of two hundred pods. */
const GATES_A_STEP = 16;

/** In steps of some milliseconds, between which the cluster may change: whoever takes them asks again after a change. */
export function* indexAssignments(
  view: ClusterView,
  watchedPodUids: ReadonlySet<string>,
): Generator<undefined, AssignmentIndex> {
  const gates: GatePods[] = [];
  const judged: GatePods[] = [];
  for (const [number, gate] of view.gates().entries()) {
    const seen = { gate, pods: podsUnderGate(gate, view) };
    gates.push(seen);
    if (gateIsJudged(gate, view)) judged.push(seen);
    if (number % GATES_A_STEP === 0) yield;
  }
  const raisedHz = raisedRates(gates);
  yield;
  const pods = view.pods();
  const policiesOfNamespace = new Map(
    [...new Set(pods.map(({ metadata }) => metadata?.namespace ?? ''))]
      .map((namespace) => [namespace, policiesIn(view, namespace)] as const)
      .filter(([, policies]) => policies.length > 0),
  );
  const replicaSets = [...policiesOfNamespace.keys()].flatMap((namespace) => view.replicaSets(namespace));
  return {
    podsOfNode: Map.groupBy(pods, (pod) => pod.spec?.nodeName ?? ''),
    policiesOfNamespace,
    gatedPodUids: uidsOf(gates),
    judgedPodUids: uidsOf(judged),
    watchedPodUids,
    raisedHz,
    owners: replicaSetOwners(replicaSets),
  };
}

const uidsOf = (gates: readonly GatePods[]): ReadonlySet<string> =>
  new Set(gates.flatMap(({ pods }) => pods.map(({ metadata }) => metadata?.uid ?? '')));

export function assignmentOf(
  index: AssignmentIndex,
  node: string,
  storeId: string,
  settings?: AgentSettings,
): Assignment {
  const watched = (index.podsOfNode.get(node) ?? []).flatMap((pod) => watchedPod(pod, index));
  const frequencyHz = Math.max(
    ...watched.map(({ policy }) => policy.spec.cpu.frequencyHz),
    watched.length === 0 ? DEFAULT_HZ : 1,
  );
  const containers = watched
    .flatMap(({ pod, policy }) => assignedContainers(pod, policy, index))
    .sort(gatedFirst)
    .slice(0, MAX_CONTAINERS)
    .map((container) => withoutRate(container, frequencyHz));
  const live = (index.podsOfNode.get(node) ?? [])
    .flatMap((pod) => liveContainers(pod, index))
    .sort((a, b) => (`${a.podUid} ${a.container}` < `${b.podUid} ${b.container}` ? -1 : 1))
    .slice(0, MAX_CONTAINERS);
  const isWanted = ({ podUid, offCpu, io }: AssignedContainer): boolean =>
    index.judgedPodUids.has(podUid) ||
    index.watchedPodUids.has(podUid) ||
    offCpu !== undefined ||
    io !== undefined;
  const windowMs = containers.some(isWanted) ? SHORT_WINDOW_MS : RESTING_WINDOW_MS;
  const told = settings === undefined ? {} : { settings };
  const work = { store: storeId, windowMs, frequencyHz, containers, live, ...told };
  const version = createHash('sha256').update(JSON.stringify(work)).digest('base64url').slice(0, 22);
  return { version, ...work };
}

interface WatchedPod {
  readonly pod: V1Pod;
  readonly policy: AnyProfilingPolicy;
}

/** None or one: a pod that runs and that a policy selects. */
function watchedPod(pod: V1Pod, index: AssignmentIndex): readonly WatchedPod[] {
  if (pod.status?.phase !== 'Running') return [];
  const policy = policyOfPod(pod, index);
  return policy === undefined ? [] : [{ pod, policy }];
}

export const policyOfPod = ({ metadata }: V1Pod, { policiesOfNamespace }: AssignmentIndex) =>
  policyOf(metadata?.labels, policiesOfNamespace.get(metadata?.namespace ?? '') ?? []);

/** Its JVMs are met while they start: by then a pod has to be known. */
function liveContainers(pod: V1Pod, index: AssignmentIndex): readonly LiveContainer[] {
  const { uid = '', deletionTimestamp } = pod.metadata ?? {};
  const isStillToRun = pod.status?.phase === 'Pending' || pod.status?.phase === 'Running';
  if (!isStillToRun || deletionTimestamp !== undefined) return [];
  const policy = policyOfPod(pod, index);
  if (policy?.spec.jvm.flags.mode !== 'Live') return [];
  return (pod.spec?.containers ?? [])
    .filter(({ name }) => policyWants(policy, name))
    .map(({ name }) => ({ podUid: uid, container: name }));
}

function assignedContainers(
  pod: V1Pod,
  policy: AnyProfilingPolicy,
  index: AssignmentIndex,
): readonly AssignedContainer[] {
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  return (pod.status?.containerStatuses ?? []).flatMap((status) => {
    const running = runningContainer(status);
    if (running === undefined || !policyWants(policy, status.name)) return [];
    const { cpu, jvm } = policy.spec;
    const gated = index.gatedPodUids.has(uid);
    const requests = gated ? requestsOf(policy) : undefined;
    const workload = workloadOf(pod, index.owners);
    const offCpu = lookedForOf(policy.spec.offCpu);
    const io = lookedForOf(policy.spec.io);
    const profiles = profilesOf(policy, pod, status);
    const assigned = {
      frequencyHz: Math.min(MOST_HZ, Math.max(cpu.frequencyHz, index.raisedHz.get(uid) ?? 0)),
      namespace,
      pod: name,
      podUid: uid,
      container: status.name,
      ...running,
      gated: gated || index.watchedPodUids.has(uid),
      symbols: jvm.symbols,
    };
    return [
      {
        ...assigned,
        ...(workload && { workload }),
        ...(requests && { requests }),
        ...(offCpu && { offCpu }),
        ...(io && { io }),
        ...(profiles && { profiles }),
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

/** Watched while a gate needs it, unless the policy says no. */
function requestsOf({ spec: { requests } }: AnyProfilingPolicy): AssignedRequests | undefined {
  if (!requests.enabled) return undefined;
  const routes = [...new Set(requests.routes)].slice(0, MOST_ROUTE_PATTERNS);
  return { routes, ...(requests.spans.enabled ? { spans: true } : {}) };
}

/** What a profile is found by in years to come, besides what every container is told with. */
function profilesOf(
  { spec: { sinks = [] } }: AnyProfilingPolicy,
  { metadata }: V1Pod,
  { image }: V1ContainerStatus,
): AssignedProfiles | undefined {
  if (sinks.length === 0) return undefined;
  const revision = revisionLabel(metadata?.labels);
  return {
    sinks,
    ...(revision === undefined ? {} : { revision }),
    ...(image === '' || image.length > LONGEST_IMAGE ? {} : { image }),
  };
}

const LONGEST_IMAGE = 512;

const lookedForOf = (asked: AnyProfilingPolicy['spec']['offCpu']): LookedFor | undefined =>
  asked.enabled ? { leastMs: parseLatencyMs(asked.minDuration) } : undefined;

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
