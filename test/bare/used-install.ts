/**
 * A service that Flamegate has got hold of in every way it does, before a real API server: flags in a Deployment, a rollout that is held, one that
 * is stopped for good, and a finalizer. The controller is the real one; that pods run is said, and a JVM in them told by an agent's own code.
 */
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { PAUSE_ANNOTATION } from '../../src/controller/acting/pause-mark.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type KubeClient, pathOf } from '../../src/kube/client.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../src/store/testing/a-batch.ts';
import { aSimulatedAgent } from '../agents/simulated-agent.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import type { BareApiServer } from './api-server.ts';
import { AGENTS, agentToken, SHOP } from './cluster.ts';
import { type ControllerProcess, startControllerProcess } from './controller-process.ts';
import { playKubelet, runOrRemove } from './played-kubelet.ts';

const NODE = 'node-1';
/** One by one, so that a rollout takes as many looks of the kubelet: whoever holds it on its first pods has time. */
const REPLICAS = 12;
const PATIENCE_S = 300; // on a busy machine
const deployments = { apiVersion: 'apps/v1', plural: 'deployments', namespace: SHOP };
const ours = (plural: string) => ({ apiVersion: API_VERSION, plural, namespace: SHOP });

export interface UsedInstall {
  readonly controller: ControllerProcess;
  deployment(name: string): Promise<V1Deployment>;
  stop(): Promise<void>;
}

/** Of an install whose objects are there. */
export async function useInstall(api: BareApiServer): Promise<UsedInstall> {
  const client = byTheTeam(api.client);
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-used-'))).path;
  mkdirSync(join(directory, 'spool'));
  const httpsPort = await freePort();
  const controller = startControllerProcess({
    ...{ kubeconfigFile: api.kubeconfigFile, httpsPort, podName: 'controller' },
    dataDirectory: join(directory, 'data'),
  });
  begun.defer(controller.kill);
  const kubelet = playKubelet(client, (pod) => runOrRemove(client, pod));
  begun.defer(kubelet.stop);
  const deployment = async (name: string): Promise<V1Deployment> => {
    const found = await client.get<V1Deployment>({ ...deployments, name });
    if (found === undefined) throw new Error(`there is no Deployment ${name}`);
    return found;
  };
  try {
    const agent = await tellOfJvms(client, { directory, httpsPort, pods: kubelet.pods });
    begun.defer(agent.stop);
    await takeHold(client, deployment);
  } catch (error) {
    throw new Error(controller.log().slice(-3_000), { cause: error });
  }
  const running = begun.move();
  return { controller, deployment, stop: () => running.disposeAsync() };
}

/** What the service's own people and their kubelet write is theirs: the client says by default that it is Flamegate. */
function byTheTeam(client: KubeClient): KubeClient {
  const request: KubeClient['request'] = (method, path, body, contentType) =>
    client.request(
      method,
      /^(POST|PATCH)$/.test(method) ? `${path}?fieldManager=shop-team` : path,
      body,
      contentType,
    );
  return { ...client, request, create: (ref, created) => request('POST', pathOf(ref), created) };
}

async function takeHold(client: KubeClient, deployment: UsedInstall['deployment']): Promise<void> {
  for (const name of ['orders', 'held', 'stopped']) await client.create(deployments, aDeployment(name));
  const jvm = { flags: { mode: 'Immediate', acknowledgeRestarts: true } };
  const policy = { podSelector: { matchLabels: { app: 'orders' } }, containers: ['app'], jvm };
  await eventually('a policy', PATIENCE_S, () =>
    client.create(ours('profilingpolicies'), object('ProfilingPolicy', 'orders', policy)),
  );
  await client.create(ours('regressiongates'), object('RegressionGate', 'held', gateOf('held', '30m')));
  await client.create(ours('regressiongates'), object('RegressionGate', 'stopped', gateOf('stopped', '30s')));
  await eventually(
    'flags in orders',
    PATIENCE_S,
    async () => hasFlags(await deployment('orders')) || undefined,
  );
  for (const name of ['held', 'stopped']) {
    const image = {
      spec: { template: { spec: { containers: [{ name: 'app', image: 'localhost/orders:2' }] } } },
    };
    const path = `/apis/apps/v1/namespaces/${SHOP}/deployments/${name}`;
    await eventually(
      `all pods of ${name}`,
      PATIENCE_S,
      async () => (await deployment(name)).status?.readyReplicas === REPLICAS || undefined,
    );
    await client.request('PATCH', path, image, 'application/strategic-merge-patch+json');
    await eventually(
      `${name} is paused`,
      PATIENCE_S,
      async () => isMarked(await deployment(name)) || undefined,
    );
  }
  await eventually('one is stopped for good', PATIENCE_S, async () => {
    const gate = await client.get<RegressionGate>({ ...ours('regressiongates'), name: 'stopped' });
    return gate?.status?.action?.state === 'Paused' || undefined;
  });
}

const hasFlags = ({ spec }: V1Deployment): boolean =>
  spec?.template.spec?.containers[0]?.env?.some(({ name }) => name === 'JAVA_TOOL_OPTIONS') === true;

const isMarked = ({ metadata, spec }: V1Deployment): boolean =>
  spec?.paused === true && metadata?.annotations?.[PAUSE_ANNOTATION] !== undefined;

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name },
  spec,
});

/** Its baseline is profiled by nobody, so that nothing is ever compared. */
const gateOf = (name: string, deadline: string) => ({
  ...{
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    mode: 'HoldRollout',
    onInconclusive: 'Hold',
  },
  duration: { warmUp: '10s', min: '20s', deadline },
});

const aDeployment = (name: string) => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: SHOP } },
  spec: {
    ...{ replicas: REPLICAS, selector: { matchLabels: { app: name } } },
    strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: name } },
      spec: { nodeName: NODE, containers: [{ name: 'app', image: 'localhost/orders:1' }] },
    },
  },
});

interface Telling {
  readonly directory: string;
  readonly httpsPort: number;
  readonly pods: () => readonly V1Pod[];
}

/** A JVM in each container, of an image that sets no variable. */
async function tellOfJvms(client: KubeClient, { directory, httpsPort, pods }: Telling) {
  const spec = {
    nodeName: NODE,
    serviceAccountName: 'flamegate-agent',
    containers: [{ name: 'agent', image: 'x' }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'agent' }, spec };
  await eventually('a pod of an agent', PATIENCE_S, () =>
    client.create({ apiVersion: 'v1', plural: 'pods', namespace: AGENTS }, pod),
  );
  const authority = { apiVersion: 'v1', plural: 'configmaps', namespace: AGENTS, name: 'flamegate-ca' };
  const map = await eventually('the published authority', 300, () =>
    client.get<{ data: Record<string, string> }>(authority),
  );
  const caFile = join(directory, 'ca.crt');
  const tokenFile = join(directory, 'token');
  writeFileSync(caFile, map.data['ca.crt'] ?? '');
  writeFileSync(tokenFile, await agentToken(client, 'agent'));
  const url = new URL(`https://localhost:${httpsPort}`);
  const agent = await aSimulatedAgent({ url, caFile, tokenFile, directory: join(directory, 'spool') });
  agent.run();
  let sequence = 0;
  let adding: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    const endMs = Date.now();
    const seen = pods().filter(
      ({ metadata, status }) => metadata?.namespace === SHOP && status?.phase === 'Running',
    );
    const windows = seen.map(({ metadata }) =>
      aPodWindow({
        namespace: SHOP,
        pod: metadata?.name ?? '',
        podUid: metadata?.uid ?? '',
        startedAtMs: endMs - 600_000,
        jvm: { ...aPodWindow().jvm, environment: [] },
      }),
    );
    const batch = aBatch({
      node: NODE,
      boot: 'boot-0001',
      sequence: sequence++,
      startMs: endMs - WINDOW_MS,
      endMs,
      pods: windows,
    });
    if (windows.length > 0) adding = adding.then(() => agent.add(batch));
  }, 2_000);
  return {
    async stop() {
      clearInterval(timer);
      await adding; // before its spool goes
      await agent.stop();
    },
  };
}
