/** Fills an API server with what one controller is to carry: policies, gates, agents' pods and the pods they watch. */
import { KubeConfig, type KubernetesObject } from '@kubernetes/client-node';
import { emitCrd } from '../../src/crds/emit.ts';
import { KINDS } from '../../src/crds/kinds.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type KubeClient, kubeClient, type ObjectRef } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { AGENT_AUDIENCE } from '../../src/wire/endpoints.ts';
import { AGENTS, namespaceOf, nodeName, type Size, SYSTEM, type WatchedPod } from './size.ts';

const AT_ONCE = 12; // requests; the API server is to be filled, not measured
const CRDS_SERVED_WITHIN_MS = 30_000;
const CONFLICT = 409;
const TOKEN_SECONDS = 3_600;

export function clientOf(kubeconfig: string): KubeClient {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return kubeClient(config);
}

/** What is there before any watched pod: kinds, namespaces, accounts, agents, and per service a policy and a gate. */
export async function installCluster(client: KubeClient, { gates, nodes }: Size): Promise<void> {
  for (const crd of KINDS.map(emitCrd) as KubernetesObject[]) {
    const plural = 'customresourcedefinitions';
    const ref = { apiVersion: 'apiextensions.k8s.io/v1', plural, name: crd.metadata?.name ?? '' };
    await client.apply(ref, crd, { fieldManager: 'bench', force: true });
  }
  const services = Array.from({ length: gates }, (_, service) => namespaceOf(service));
  await each([SYSTEM, AGENTS, ...services], async (name) => {
    const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
    await createOnce(client, namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await createAccount(client, name, 'default'); // no controller manager does it here
  });
  await createAccount(client, AGENTS, 'flamegate-agent');
  await untilServed(client);
  await each(services, (namespace) => createService(client, namespace));
  await each(range(nodes), (node) => createPod(client, agentPod(node)));
}

async function createAccount(client: KubeClient, namespace: string, name: string): Promise<void> {
  const ref = { apiVersion: 'v1', plural: 'serviceaccounts', namespace };
  await createOnce(client, ref, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
}

/** A cluster that was kept has it already. */
async function createOnce(client: KubeClient, ref: Omit<ObjectRef, 'name'>, object: object): Promise<void> {
  await client.create(ref, object).catch((error: unknown) => {
    if (!(isKubeError(error) && error.status === CONFLICT)) throw error;
  });
}

async function untilServed(client: KubeClient): Promise<void> {
  const end = Date.now() + CRDS_SERVED_WITHIN_MS;
  for (;;) {
    try {
      await client.request('GET', `/apis/${API_VERSION}/regressiongates`);
      await client.request('GET', `/apis/${API_VERSION}/profilingpolicies`);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }
}

async function createService(client: KubeClient, namespace: string): Promise<void> {
  const arm = (name: string) => ({ podSelector: { matchLabels: { app: 'shop', arm: name } } });
  await createOnce(
    client,
    { apiVersion: API_VERSION, plural: 'profilingpolicies', namespace },
    {
      apiVersion: API_VERSION,
      kind: 'ProfilingPolicy',
      metadata: { name: 'shop' },
      spec: { podSelector: { matchLabels: { app: 'shop' } } },
    },
  );
  await createOnce(
    client,
    { apiVersion: API_VERSION, plural: 'regressiongates', namespace },
    {
      apiVersion: API_VERSION,
      kind: 'RegressionGate',
      metadata: { name: 'shop' },
      spec: { baseline: arm('stable'), canary: arm('canary') },
    },
  );
}

export async function createWatchedPods(client: KubeClient, pods: readonly WatchedPod[]): Promise<void> {
  const there = await podUids(client, new Set(pods.map(({ service }) => service)));
  const missing = pods.filter(({ name, service }) => !there.has(`${namespaceOf(service)}/${name}`));
  await each(missing, (pod) => createRunningPod(client, pod));
}

/** No kubelet is there to say that it runs. */
async function createRunningPod(client: KubeClient, { arm, name, node, service }: WatchedPod): Promise<void> {
  const namespace = namespaceOf(service);
  const labels = { app: 'shop', arm, 'pod-template-hash': arm };
  await createPod(client, {
    metadata: {
      name,
      namespace,
      labels,
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080' },
    },
    spec: {
      nodeName: nodeName(node),
      automountServiceAccountToken: false,
      containers: [serviceContainer(arm)],
    },
  });
  const startedAt = new Date(Date.now() - 3_600_000).toISOString();
  const started = {
    ...{
      name: 'shop',
      image: `shop:${arm}`,
      imageID: 'sha256:0',
      ready: true,
      started: true,
      restartCount: 0,
    },
    ...{ containerID: `containerd://${namespace}-${name}`, state: { running: { startedAt } } },
  };
  const status = {
    phase: 'Running',
    startTime: startedAt,
    containerStatuses: [started],
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  await client.request('PATCH', path, { status }, 'application/merge-patch+json');
}

/** As large as a service's usually is: what is listed must be read before it can be cut down. */
const serviceContainer = (arm: string) => ({
  name: 'shop',
  image: `shop:${arm}`,
  ports: [{ name: 'http', containerPort: 8080 }],
  env: Array.from({ length: 20 }, (_, at) => ({ name: `SHOP_SETTING_${at}`, value: `value-${at}` })),
  resources: { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '1Gi' } },
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
  livenessProbe: { httpGet: { path: '/live', port: 8080 }, periodSeconds: 10 },
});

const agentPod = (node: number) => ({
  metadata: {
    name: `agent-${nodeName(node)}`,
    namespace: AGENTS,
    labels: { 'app.kubernetes.io/component': 'agent' },
  },
  spec: {
    nodeName: nodeName(node),
    serviceAccountName: 'flamegate-agent',
    automountServiceAccountToken: false,
    containers: [{ name: 'agent', image: 'flamegate-agent:bench' }],
  },
});

interface NewPod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: object;
    readonly annotations?: object;
  };
  readonly spec: object;
}

const createPod = (client: KubeClient, pod: NewPod): Promise<unknown> =>
  createOnce(
    client,
    { apiVersion: 'v1', plural: 'pods', namespace: pod.metadata.namespace },
    { apiVersion: 'v1', kind: 'Pod', ...pod },
  );

/** As the kubelet projects them: bound to the agent's pod, and by it to the node. In the order of nodes. */
export async function agentTokens(client: KubeClient, nodes: number): Promise<string[]> {
  const tokens: string[] = [];
  const path = `/api/v1/namespaces/${AGENTS}/serviceaccounts/flamegate-agent/token`;
  await each(range(nodes), async (node) => {
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: `agent-${nodeName(node)}` };
    const spec = { audiences: [AGENT_AUDIENCE], expirationSeconds: TOKEN_SECONDS, boundObjectRef };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const { status } = await client.request<{ status: { token: string } }>('POST', path, body);
    tokens[node] = status.token;
  });
  return tokens;
}

/** Uids of the pods of these services, by `namespace/name`. */
export async function podUids(
  client: KubeClient,
  services: ReadonlySet<number>,
): Promise<ReadonlyMap<string, string>> {
  const uids = new Map<string, string>();
  await each([...services], async (service) => {
    const namespace = namespaceOf(service);
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { items } = await client.request<PodList>('GET', path);
    for (const { metadata } of items) uids.set(`${namespace}/${metadata.name}`, metadata.uid);
  });
  return uids;
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly uid: string } }[];
}

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);

async function each<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
