/**
 * A gate decides about a Rollout of the real Argo Rollouts: by the job provider, and asked by its web provider. The Rollout and both
 * templates are those of samples/rollouts. Real are the API server, the controllers of ReplicaSets and Jobs, Argo Rollouts, Flamegate's
 * controller and command line; that pods run is said, what they burn is pushed by agents' own code, and a job's command runs here.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type KubeClient, pathOf } from '../../src/kube/client.ts';
import { type RolloutsController, rolloutsController } from '../argo-rollouts/rollouts-controller.ts';
import { type BareApiServer, bareApiServer, freePort } from '../bare/api-server.ts';
import { type BareCluster, bareCluster, SHOP } from '../bare/cluster.ts';
import { controllerManager } from '../bare/controller-manager.ts';
import { type ControllerProcess, startControllerProcess } from '../bare/controller-process.ts';
import { startPushing } from '../bare/pushing-nodes.ts';
import { sayEnded, sayRunning } from '../bare/said-to-run.ts';
import { eventually } from '../cluster/cluster.ts';

const NODE = 'node-1';
const VERDICT_S = 600;
const ARGO = 'argoproj.io/v1alpha1';
const ROLLOUT = { apiVersion: ARGO, plural: 'rollouts', namespace: SHOP, name: 'orders' };
const directory = mkdtempSync(join(tmpdir(), 'flamegate-rollouts-'));
const ends: (() => Promise<void>)[] = [];
let api: BareApiServer;
let client: KubeClient;
let argo: RolloutsController;
let controller: ControllerProcess;

interface Rollout {
  readonly status?: {
    readonly stableRS?: string;
    readonly currentPodHash?: string;
    readonly phase?: string;
    readonly message?: string;
    readonly abort?: boolean;
  };
}

before(async () => {
  api = await bareApiServer();
  ({ client } = api);
  ends.push(api.close);
  const cluster = await bareCluster(client, { nodes: 1, podsOfNode: 0 });
  const manager = controllerManager(api.kubeconfigFile, ['replicaset-controller', 'job-controller']);
  ends.push(manager.stop);
  argo = await rolloutsController(client, api.kubeconfigFile);
  ends.push(argo.stop);
  const httpsPort = await freePort();
  ends.push(keepControllerRunning(httpsPort));
  const caFile = await cluster.caFile(directory);
  await applySamples(httpsPort);
  const kubelet = playKubelet();
  ends.push(kubelet.stop);
  const pushing = await startPushing(seenBy(cluster, kubelet.pods), { directory, caFile, port: httpsPort });
  ends.push(pushing.stop);
  await untilRollout('is healthy for the first time', ({ phase }) => phase === 'Healthy');
});

after(async () => {
  for (const end of ends.toReversed()) await end();
  rmSync(directory, { recursive: true });
});

/** As a Deployment does: on a machine that stands still for seconds it loses its lease, and ends. */
function keepControllerRunning(httpsPort: number): () => Promise<void> {
  const ours = { kubeconfigFile: api.kubeconfigFile, dataDirectory: directory, podName: 'controller' };
  controller = startControllerProcess({ ...ours, httpsPort });
  const timer = setInterval(() => {
    if (controller.ended()) controller = startControllerProcess({ ...ours, httpsPort });
  }, 1_000);
  return () => {
    clearInterval(timer);
    return controller.kill();
  };
}

/** The samples, with pods on the node that is only said to be there, and a gate that decides within minutes. */
async function applySamples(httpsPort: number): Promise<void> {
  const address = 'flamegate-controller.flamegate-system.svc:8443';
  for (const file of ['asker.yaml', 'argo-rollouts.yaml', 'argo-rollouts-web.yaml']) {
    const text = readFileSync(new URL(`../../samples/rollouts/${file}`, import.meta.url), 'utf8');
    for (const document of parseAllDocuments(text.replace(address, `localhost:${httpsPort}`))) {
      const object = document.toJS();
      if (object.kind === 'RegressionGate') {
        object.spec.checks = { cpu: { function: { margin: '2%' } }, latency: [] };
        object.spec.duration = { warmUp: '10s', min: '1m', deadline: '10m' };
      }
      if (object.kind === 'Rollout') {
        Object.assign(object.spec.template.spec, { nodeName: NODE, terminationGracePeriodSeconds: 0 });
        object.spec.template.spec.containers[0].image = 'orders:stable';
      }
      // Nobody here fills Secrets of accounts: it holds what TokenRequest grants.
      if (object.kind === 'Secret')
        Object.assign(object, { type: 'Opaque', stringData: { token: await token() } });
      const { apiVersion, kind, metadata } = object;
      const ref = { apiVersion, plural: `${kind.toLowerCase()}s`, namespace: SHOP, name: metadata.name };
      await eventually(`${kind} ${metadata.name}`, 60, () =>
        client.apply(ref, object, { fieldManager: 'flamegate-test', force: true }),
      );
    }
  }
}

async function token(): Promise<string> {
  const path = `/api/v1/namespaces/${SHOP}/serviceaccounts/gate-asker/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  return (await client.request<{ status: { token: string } }>('POST', path, request)).status.token;
}

/** Says of every new pod of the service that it runs, and runs the command of every new pod of a job. */
function playKubelet(): { readonly pods: () => readonly V1Pod[]; stop(): Promise<void> } {
  let pods: readonly V1Pod[] = [];
  const started = new Set<string>();
  const end = new AbortController();
  const look = async (): Promise<void> => {
    pods = (await client.request<{ items: V1Pod[] }>('GET', `/api/v1/namespaces/${SHOP}/pods`)).items;
    for (const pod of pods) {
      const { uid = '', labels } = pod.metadata ?? {};
      if (started.has(uid)) continue;
      started.add(uid);
      if (labels?.['app'] === 'orders') await sayRunning(client, pod);
      else void runCommand(pod);
    }
  };
  const running = (async () => {
    for (;;) {
      await look().catch(() => undefined); // a pod that is gone by now
      await delay(1_000, undefined, { signal: end.signal });
    }
  })().catch(() => undefined);
  return {
    pods: () => pods,
    async stop() {
      end.abort();
      await running;
    },
  };
}

/** With the program of the image from here, as the account that the pod has. */
async function runCommand(pod: V1Pod): Promise<void> {
  const program = new URL('../../dist/cli/main.mjs', import.meta.url).pathname;
  const config = JSON.parse(readFileSync(api.kubeconfigFile, 'utf8'));
  config.users[0].user.token = await token();
  const file = join(directory, `${pod.metadata?.name}.kubeconfig`);
  writeFileSync(file, JSON.stringify(config));
  const [container] = pod.spec?.containers ?? [];
  assert.equal(container?.command?.[1], '/app/dist/cli/main.mjs');
  const child = spawn(process.execPath, [program, ...(container.args ?? [])], {
    ...{ stdio: 'inherit', env: { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: file } },
  });
  const exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  await sayEnded(client, pod, exitCode).catch(() => undefined); // where the run was ended before
}

/** The service's pods of each moment; what its revision burns is in the name of its image. */
const seenBy = (cluster: BareCluster, pods: () => readonly V1Pod[]): BareCluster => ({
  ...cluster,
  get pods() {
    return pods()
      .filter(({ metadata, status }) => metadata?.labels?.['app'] === 'orders' && status?.phase === 'Running')
      .map(({ metadata, spec }) => ({
        ...{ name: metadata?.name ?? '', uid: metadata?.uid ?? '', node: NODE },
        track: spec?.containers[0]?.image === 'orders:slow' ? 'canary' : 'stable',
      }));
  },
});

async function untilRollout(
  what: string,
  isSo: (status: NonNullable<Rollout['status']>) => boolean,
): Promise<NonNullable<Rollout['status']>> {
  const seen: { last?: Rollout['status'] } = {};
  return eventually(`the Rollout ${what}`, VERDICT_S, async () => {
    seen.last = (await client.get<Rollout>(ROLLOUT))?.status;
    return seen.last !== undefined && isSo(seen.last) ? seen.last : undefined;
  }).catch((error: unknown) =>
    assert.fail(
      `${String(error)}: ${JSON.stringify(seen.last)}\n${argo.log().slice(-3_000)}\n${controller.log().slice(-3_000)}`,
    ),
  );
}

async function rollOut(image: string, template = 'flamegate'): Promise<void> {
  const rollout = await client.get<{
    spec: { template: { spec: { containers: object[] } }; strategy: { canary: { steps: object[] } } };
  }>(ROLLOUT);
  const { containers = [] } = rollout?.spec.template.spec ?? {};
  const steps = structuredClone(rollout?.spec.strategy.canary.steps ?? []) as {
    analysis?: { templates: object[] };
  }[];
  for (const { analysis } of steps) if (analysis) analysis.templates = [{ templateName: template }];
  const change = {
    template: { spec: { containers: [{ ...containers[0], image }] } },
    strategy: { canary: { steps } },
  };
  await client.request('PATCH', pathOf(ROLLOUT), { spec: change }, 'application/merge-patch+json');
}

interface Run {
  readonly metadata: { readonly creationTimestamp: string };
  readonly status?: { readonly phase?: string };
}

async function lastAnalysis(): Promise<string | undefined> {
  const path = pathOf({ apiVersion: ARGO, plural: 'analysisruns', namespace: SHOP });
  const { items } = await client.request<{ items: Run[] }>('GET', path);
  const [last] = items.toSorted((a, b) =>
    a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1,
  );
  return last?.status?.phase;
}

async function gateSays(): Promise<string> {
  const gate = await client.get<{
    status?: { verdict?: string; evaluation?: { baseline: string; canary: string } };
  }>({
    ...{ apiVersion: API_VERSION, plural: 'regressiongates', namespace: SHOP, name: 'orders' },
  });
  const { verdict, evaluation } = gate?.status ?? {};
  return `${verdict} of ${evaluation?.canary} against ${evaluation?.baseline}`;
}

test('a slow revision is aborted by the verdict that a job waited for', async () => {
  const { stableRS } = await untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:slow');
  const { currentPodHash } = await untilRollout('is aborted', ({ abort }) => abort === true);

  assert.equal(await gateSays(), `Failed of ${currentPodHash} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Failed');
  const { phase } = await untilRollout('is degraded', (status) => status.phase === 'Degraded');
  assert.equal(phase, 'Degraded');
});

test('a good revision is promoted by the verdict that a job waited for', async () => {
  const { stableRS } = await untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:good');
  const promoted = await untilRollout(
    'has promoted the good revision',
    (status) => status.stableRS !== stableRS && status.phase === 'Healthy',
  );

  assert.equal(await gateSays(), `Passed of ${promoted.stableRS} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Successful');
});

test('a slow revision is aborted by the verdict that Argo Rollouts itself asked for', async () => {
  const { stableRS } = await untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:slow', 'flamegate-web');
  const { currentPodHash } = await untilRollout('is aborted', ({ abort }) => abort === true);

  assert.equal(await gateSays(), `Failed of ${currentPodHash} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Failed');
});
