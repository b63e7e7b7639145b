/** What of Flamegate is in a cluster, and whether it is well. */
import type { KubeConfig } from '@kubernetes/client-node';
import type { Finding } from '../../agent/probe-machine.ts';
import { KINDS } from '../../crds/kinds.ts';
import { API_VERSION } from '../../crds/schema.ts';
import { type KubeClient, kubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { reasonOf } from '../files.ts';

const OLDEST_MINOR = 29; // CEL rules of custom resources are stable
const SYSTEM = 'flamegate-system';
const AGENTS = 'flamegate-agents';
const INSTALL = 'kubectl apply --server-side -k config/default';

interface Workloads {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly replicas?: number };
    readonly status?: {
      readonly readyReplicas?: number;
      readonly numberReady?: number;
      readonly desiredNumberScheduled?: number;
    };
  }[];
}

/** Never throws for what the cluster is; what cannot be asked is a finding. */
export async function clusterFindings(config: KubeConfig): Promise<readonly Finding[]> {
  const client = kubeClient(config);
  const server = await asked('API server', () => version(client));
  if (server.state === 'Missing') return [server];
  return [
    server,
    await asked('kinds', () => kinds(client)),
    await asked('controller', () => controller(client)),
    await asked('agents', () => agents(client)),
    await asked('admission policies', () => admission(client)),
  ];
}

async function asked(what: string, ask: () => Promise<Omit<Finding, 'what'>>): Promise<Finding> {
  try {
    return { what, ...(await ask()) };
  } catch (error) {
    return {
      what,
      state: 'Missing',
      found: reasonOf(error),
      advice: 'look at the kubeconfig, its context and its rights',
    };
  }
}

async function version(client: KubeClient): Promise<Omit<Finding, 'what'>> {
  const { gitVersion, minor } = await client.request<{ gitVersion: string; minor: string }>(
    'GET',
    '/version',
  );
  if (Number.parseInt(minor, 10) >= OLDEST_MINOR) return { state: 'Ok', found: gitVersion };
  return { state: 'Missing', found: gitVersion, advice: `Kubernetes 1.${OLDEST_MINOR} or newer` };
}

async function kinds(client: KubeClient): Promise<Omit<Finding, 'what'>> {
  const wanted = KINDS.map(({ kind }) => kind);
  const served = await client
    .request<{ readonly resources: readonly { readonly kind: string }[] }>('GET', `/apis/${API_VERSION}`)
    .catch(isNotFound);
  const there = new Set(served?.resources.map(({ kind }) => kind));
  const missing = wanted.filter((kind) => !there.has(kind));
  if (missing.length === 0) return { state: 'Ok', found: wanted.join(', ') };
  return { state: 'Missing', found: `without ${missing.join(', ')}`, advice: INSTALL };
}

async function controller(client: KubeClient): Promise<Omit<Finding, 'what'>> {
  const { items } = await client.request<Workloads>('GET', `/apis/apps/v1/namespaces/${SYSTEM}/deployments`);
  const all = items.filter(({ metadata }) => metadata.name.startsWith('flamegate-controller'));
  const wanted = all.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0);
  const ready = all.reduce((sum, { status }) => sum + (status?.readyReplicas ?? 0), 0);
  if (wanted > 0 && ready === wanted) return { state: 'Ok', found: `${ready} of ${wanted} ready` };
  const advice = wanted === 0 ? INSTALL : `kubectl -n ${SYSTEM} describe pods`;
  return { state: 'Missing', found: wanted === 0 ? 'not installed' : `${ready} of ${wanted} ready`, advice };
}

async function agents(client: KubeClient): Promise<Omit<Finding, 'what'>> {
  const { items } = await client.request<Workloads>('GET', `/apis/apps/v1/namespaces/${AGENTS}/daemonsets`);
  const wanted = items.reduce((sum, { status }) => sum + (status?.desiredNumberScheduled ?? 0), 0);
  const ready = items.reduce((sum, { status }) => sum + (status?.numberReady ?? 0), 0);
  if (items.length === 0) {
    return {
      state: 'Limited',
      found: 'none',
      advice: 'they come with the first ProfilingPolicy: see samples/',
    };
  }
  const found = `${ready} of ${wanted} nodes`;
  if (ready === wanted) return { state: 'Ok', found };
  return { state: 'Limited', found, advice: `kubectl -n ${AGENTS} describe pods` };
}

/** By which flags come into pods as they are created. */
async function admission(client: KubeClient): Promise<Omit<Finding, 'what'>> {
  const { versions } = await client.request<{
    readonly versions: readonly { readonly groupVersion: string }[];
  }>('GET', '/apis/admissionregistration.k8s.io');
  const groups = versions.map(({ groupVersion }) => groupVersion);
  for (const groupVersion of groups) {
    const { resources } = await client.request<{ readonly resources: readonly { readonly name: string }[] }>(
      'GET',
      `/apis/${groupVersion}`,
    );
    if (resources.some(({ name }) => name === 'mutatingadmissionpolicies')) {
      return { state: 'Ok', found: `MutatingAdmissionPolicy ${groupVersion}` };
    }
  }
  return { state: 'Ok', found: 'no MutatingAdmissionPolicy: a webhook would do it' };
}

const isNotFound = (error: unknown): undefined => {
  if (isKubeError(error, 'KUBE_NOT_FOUND')) return undefined;
  throw error;
};
