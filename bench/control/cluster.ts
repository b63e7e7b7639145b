/** Fills an API server with what one controller is to carry: policies, gates, agents' pods and the pods they watch. */
import { API_VERSION } from '../../src/crds/schema.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { AGENTS, agentToken, install } from '../../test/bare/cluster.ts';
import { eventually } from '../../test/cluster/cluster.ts';
import { namespaceOf, nodeName, type Size, type WatchedPod } from './size.ts';

const AT_ONCE = 12; // requests; the API server is to be filled, not measured

/** What is there before any watched pod: the install, agents, and of each service a policy and a gate. */
export async function installCluster(client: KubeClient, { gates, nodes }: Size): Promise<void> {
  await install(client);
  await eventually('the kinds are served', 60, () =>
    client.request('GET', `/apis/${API_VERSION}/regressiongates`),
  );
  await each(range(gates), (service) => createService(client, namespaceOf(service)));
  await each(range(nodes), (node) => createPod(client, agentPod(node)));
}

async function createService(client: KubeClient, namespace: string): Promise<void> {
  const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const arm = (name: string) => ({ podSelector: { matchLabels: { app: 'shop', arm: name } } });
  await client.create(
    { apiVersion: API_VERSION, plural: 'profilingpolicies', namespace },
    {
      apiVersion: API_VERSION,
      kind: 'ProfilingPolicy',
      metadata: { name: 'shop' },
      spec: { podSelector: { matchLabels: { app: 'shop' } } },
    },
  );
  await client.create(
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
  await each(pods, (pod) => createRunningPod(client, pod));
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
  client.create(
    { apiVersion: 'v1', plural: 'pods', namespace: pod.metadata.namespace },
    { apiVersion: 'v1', kind: 'Pod', ...pod },
  );

/** In the order of nodes. */
export async function agentTokens(client: KubeClient, nodes: number): Promise<string[]> {
  const tokens: string[] = [];
  await each(range(nodes), async (node) => {
    tokens[node] = await agentToken(client, `agent-${nodeName(node)}`);
  });
  return tokens;
}

/** Uids of the watched pods of so many services, by `namespace/name`. */
export async function podUids(client: KubeClient, services: number): Promise<ReadonlyMap<string, string>> {
  const uids = new Map<string, string>();
  await each(range(services), async (service) => {
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
