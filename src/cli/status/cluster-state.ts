/**
 * What is to be seen of Flamegate in a cluster, read as the person who asks: whoever may read only a namespace is told of that, and which
 * parts they may not read.
 */
import type { ClusterProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import type { ProfilingPolicy } from '../../crds/profiling-policy.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { API_VERSION } from '../../crds/schema.ts';
import {
  parseClusterProfilingPolicy,
  parseProfilingPolicy,
  parseRegressionGate,
} from '../../crds/validators.ts';
import { type KubeClient, pathOf } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { AGENTS_NAMESPACE, CONTROLLER_SELECTOR, SYSTEM_NAMESPACE } from '../controller-connection.ts';

/** Unknown: the person may not read it, or it is not there to be read; in words. */
export type Asked<T> = { readonly known: T } | { readonly unknown: string };

export interface ControllerState {
  /** Replicas. */
  readonly wanted: number;
  readonly ready: number;
  /** Tag of the image. */
  readonly version: string | undefined;
  /** Whoever holds the lease; undefined: nobody. */
  readonly leader: { readonly pod: string; readonly renewedAtMs: number } | undefined;
  /** Undefined while it was not tried. */
  readonly answers: { readonly isSo: boolean; readonly why: string } | undefined;
}

export interface AgentsState {
  /** The controller makes the DaemonSet once there is a policy. */
  readonly isThere: boolean;
  readonly nodes: number;
  readonly ready: number;
}

export interface ClusterState {
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  readonly controller: Asked<ControllerState>;
  readonly agents: Asked<AgentsState>;
  readonly clusterPolicies: Asked<readonly ClusterProfilingPolicy[]>;
  readonly policies: Asked<readonly ProfilingPolicy[]>;
  readonly gates: Asked<readonly RegressionGate[]>;
}

/** Whether the controller answers through the API server, and if not, why; undefined: the person may not try. */
export type Reach = () => Promise<ControllerState['answers']>;

const LEASE = 'flamegate-controller';
export const NO_KINDS = 'its kinds are not installed';

/** Throws for what keeps from everything: an API server that cannot be reached, or does not know who asks. */
export async function readClusterState(
  client: KubeClient,
  namespace: string | undefined,
  reach: Reach,
): Promise<ClusterState> {
  const [controller, agents, clusterPolicies, policies, gates] = await Promise.all([
    asked(() => controllerState(client, reach)),
    asked(() => agentsState(client)),
    asked(() => listOf(client, 'clusterprofilingpolicies', undefined, parseClusterProfilingPolicy)),
    asked(() => listOf(client, 'profilingpolicies', namespace, parseProfilingPolicy)),
    readGates(client, namespace),
  ]);
  return { namespace, controller, agents, clusterPolicies, policies, gates };
}

export const readGates = (
  client: KubeClient,
  namespace: string | undefined,
): Promise<Asked<readonly RegressionGate[]>> =>
  asked(() => listOf(client, 'regressiongates', namespace, parseRegressionGate));

async function asked<T>(ask: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { known: await ask() };
  } catch (error) {
    if (isKubeError(error, 'KUBE_FORBIDDEN')) return { unknown: refusalIn(error.message) };
    if (isKubeError(error, 'KUBE_NOT_FOUND')) return { unknown: NO_KINDS };
    throw error;
  }
}

/** Of `… 403 deployments.apps is forbidden: User "ann" cannot list …` what says who may not do what. */
const refusalIn = (message: string): string => /is forbidden: (.+)$/s.exec(message)?.[1] ?? message;

interface List<T> {
  readonly items: readonly T[];
}

async function listOf<T>(
  client: KubeClient,
  plural: string,
  namespace: string | undefined,
  parse: (object: unknown) => T,
): Promise<readonly T[]> {
  const path = pathOf({ apiVersion: API_VERSION, plural, ...(namespace !== undefined && { namespace }) });
  return (await client.request<List<unknown>>('GET', path)).items.map(parse);
}

interface Deployment {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image?: string }[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
}

interface Lease {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

async function controllerState(client: KubeClient, reach: Reach): Promise<ControllerState> {
  const selector = encodeURIComponent(CONTROLLER_SELECTOR);
  const path = `${pathOf({ apiVersion: 'apps/v1', plural: 'deployments', namespace: SYSTEM_NAMESPACE })}?labelSelector=${selector}`;
  // One after the other, so that who may read neither is always told the same.
  const { items } = await client.request<List<Deployment>>('GET', path);
  const lease = await client.get<Lease>({
    ...{ apiVersion: 'coordination.k8s.io/v1', plural: 'leases' },
    ...{ namespace: SYSTEM_NAMESPACE, name: LEASE },
  });
  const ready = items.reduce((sum, { status }) => sum + (status?.readyReplicas ?? 0), 0);
  return {
    ...{ wanted: items.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0), ready },
    version: items.map(({ spec }) => tagOf(spec.template.spec.containers[0]?.image)).find(Boolean),
    leader: leaderOf(lease),
    answers: ready === 0 ? undefined : await reach(),
  };
}

/** `registry:5000/flamegate-controller:0.1.0@sha256:…` → `0.1.0` */
const tagOf = (image: string | undefined): string | undefined =>
  /:([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$/.exec(image?.split('@')[0] ?? '')?.[1];

function leaderOf(lease: Lease | undefined): ControllerState['leader'] {
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  const renewedAtMs = Date.parse(renewTime);
  if (holderIdentity === '' || Number.isNaN(renewedAtMs)) return undefined;
  return { pod: holderIdentity.split('_')[0] ?? holderIdentity, renewedAtMs }; // what follows the name is random
}

interface DaemonSet {
  readonly status?: { readonly desiredNumberScheduled?: number; readonly numberReady?: number };
}

async function agentsState(client: KubeClient): Promise<AgentsState> {
  const path = pathOf({ apiVersion: 'apps/v1', plural: 'daemonsets', namespace: AGENTS_NAMESPACE });
  const { items } = await client.request<List<DaemonSet>>('GET', path);
  return {
    isThere: items.length > 0,
    nodes: items.reduce((sum, { status }) => sum + (status?.desiredNumberScheduled ?? 0), 0),
    ready: items.reduce((sum, { status }) => sum + (status?.numberReady ?? 0), 0),
  };
}
