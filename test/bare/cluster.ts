/** What an install and a service with one gate leave in a cluster: kinds, accounts, nodes, pods that are said to run, a policy, a gate. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emitCrd } from '../../src/crds/emit.ts';
import { KINDS } from '../../src/crds/kinds.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { OptionVariable } from '../../src/wire/batch-schema.ts';
import { AGENT_AUDIENCE } from '../../src/wire/endpoints.ts';
import { eventually } from '../cluster/cluster.ts';

export const SYSTEM = 'flamegate-system';
export const AGENTS = 'flamegate-agents';
export const SHOP = 'shop';

export interface BarePod {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly track: string;
  /** Missing: shop. */
  readonly namespace?: string;
  /** Missing: app. */
  readonly container?: string;
  /** What its JVM finds in its environment; missing: JAVA_TOOL_OPTIONS. */
  readonly environment?: readonly OptionVariable[];
}

export interface BareCluster {
  readonly nodes: readonly string[];
  readonly pods: readonly BarePod[];
  /** A file with a token as the kubelet projects it into the agent's pod of that node. */
  tokenFile(node: string, directory: string): Promise<string>;
  /** A file with the authorities that the controller publishes for agents. */
  caFile(directory: string): Promise<string>;
  /** Only the Node object: what becomes of its pods is for the pod garbage collector. */
  deleteNode(node: string): Promise<void>;
  podsOf(node: string): Promise<readonly string[]>;
  gate(): Promise<RegressionGate>;
  reports(): Promise<readonly RegressionReport[]>;
}

export interface BareClusterOptions {
  readonly nodes: number;
  readonly podsOfNode: number;
  /** Of the gate; without it there is none. */
  readonly duration?: { readonly warmUp: string; readonly min: string; readonly deadline: string };
}

const ofCore = (plural: string, namespace?: string) => ({
  ...{ apiVersion: 'v1', plural },
  ...(namespace === undefined ? {} : { namespace }),
});
const ofOurs = (plural: string) => ({ apiVersion: API_VERSION, plural, namespace: SHOP });

export async function bareCluster(client: KubeClient, options: BareClusterOptions): Promise<BareCluster> {
  await install(client);
  const nodes = Array.from({ length: options.nodes }, (_, index) => `node-${index + 1}`);
  const pods: BarePod[] = [];
  for (const node of nodes) {
    await client.create(ofCore('nodes'), { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
    await createPod(client, { namespace: AGENTS, name: `agent-${node}`, node, account: 'flamegate-agent' });
    for (let index = 0; index < options.podsOfNode; index++) {
      const track = pods.length % 2 === 0 ? 'stable' : 'canary';
      const name = `orders-${track}-${pods.length}`;
      const labels = { app: 'orders', track, 'pod-template-hash': track === 'stable' ? 'aaa' : 'bbb' };
      const uid = await createPod(client, { namespace: SHOP, name, node, labels });
      pods.push({ name, uid, node, track });
    }
  }
  await createOurs(client, options);
  return {
    ...{ nodes, pods },
    async tokenFile(node, directory) {
      const file = join(directory, `${node}.token`);
      writeFileSync(file, await agentToken(client, `agent-${node}`));
      return file;
    },
    caFile: (directory) => writeAuthority(client, directory),
    async deleteNode(node) {
      await client.delete({ ...ofCore('nodes'), name: node });
    },
    async podsOf(node) {
      const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`;
      const { items } = await client.request<{ items: { metadata: { name: string } }[] }>('GET', path);
      return items.map(({ metadata }) => metadata.name);
    },
    async gate() {
      const gate = await client.get<RegressionGate>({ ...ofOurs('regressiongates'), name: 'orders-cpu' });
      if (gate === undefined) throw new Error('there is no gate');
      return gate;
    },
    async reports() {
      const path = `/apis/${API_VERSION}/namespaces/${SHOP}/regressionreports`;
      return (await client.request<{ items: RegressionReport[] }>('GET', path)).items;
    },
  };
}

/** A file with the authorities that the controller publishes for agents. */
export async function writeAuthority(client: KubeClient, directory: string): Promise<string> {
  const map = await eventually('the published authority', 300, () =>
    client.get<{ data: Record<string, string> }>({ ...ofCore('configmaps', AGENTS), name: 'flamegate-ca' }),
  );
  const file = join(directory, 'ca.crt');
  writeFileSync(file, map.data['ca.crt'] ?? '');
  return file;
}

/** Kinds, namespaces, and the agents' account. */
export async function install(client: KubeClient): Promise<void> {
  for (const crd of KINDS.map(emitCrd)) {
    const ref = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
    await client.apply({ ...ref, name: crd.metadata.name }, crd, {
      fieldManager: 'flamegate-install',
      force: true,
    });
  }
  for (const name of [SYSTEM, AGENTS, SHOP]) {
    await client.create(ofCore('namespaces'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  await client.create(ofCore('serviceaccounts', AGENTS), {
    ...{ apiVersion: 'v1', kind: 'ServiceAccount' },
    metadata: { name: 'flamegate-agent' },
  });
}

interface PodOptions {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly account?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Returns its UID. There is no kubelet: that it runs is only said. */
async function createPod(client: KubeClient, options: PodOptions): Promise<string> {
  const { namespace, name, node, account, labels = {} } = options;
  const container = { name: 'app', image: 'localhost/orders:1' };
  const created = await client.create<{ metadata: { uid: string } }>(ofCore('pods', namespace), {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, labels } },
    spec: {
      nodeName: node,
      containers: [container],
      ...(account === undefined ? {} : { serviceAccountName: account }),
    },
  });
  const state = { running: { startedAt: new Date(Date.now() - 3_600_000).toISOString() } };
  const ran = {
    ...container,
    imageID: 'x',
    ready: true,
    restartCount: 0,
    containerID: `containerd://${name}`,
    state,
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  const status = { phase: 'Running', containerStatuses: [ran] };
  await client.request('PATCH', path, { status }, 'application/merge-patch+json');
  return created.metadata.uid;
}

/** As the kubelet projects it into the agent's pod: bound to it, and by it to the node. */
export async function agentToken(client: KubeClient, pod: string): Promise<string> {
  const spec = {
    ...{ audiences: [AGENT_AUDIENCE], expirationSeconds: 7_200 },
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod },
  };
  const path = `/api/v1/namespaces/${AGENTS}/serviceaccounts/flamegate-agent/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return (await client.request<{ status: { token: string } }>('POST', path, body)).status.token;
}

async function createOurs(client: KubeClient, { duration }: BareClusterOptions): Promise<void> {
  const of = (kind: string, name: string) => ({ apiVersion: API_VERSION, kind, metadata: { name } });
  const policy = {
    ...of('ProfilingPolicy', 'jvms'),
    spec: { podSelector: { matchLabels: { app: 'orders' } } },
  };
  await eventually('the kinds are served', 180, () => client.create(ofOurs('profilingpolicies'), policy));
  if (duration === undefined) return;
  const arm = (track: string) => ({ podSelector: { matchLabels: { app: 'orders', track } } });
  const checks = { cpu: { function: { margin: '2%' } } };
  const spec = { baseline: arm('stable'), canary: arm('canary'), checks, duration };
  const gate = { ...of('RegressionGate', 'orders-cpu'), spec };
  await eventually('the gate is made', 180, () => client.create(ofOurs('regressiongates'), gate));
}
