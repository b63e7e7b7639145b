/**
 * A namespace whose rollouts gates decide about. Real are the API server, Kubernetes' controllers of workloads, Argo Rollouts or Flagger,
 * Flamegate's controller and command line; that pods run is said, what they burn is pushed by agents' own code, and a job's command runs here. So
 * there is no traffic: a revision's share of it is its share of the running pods, as a Service deals connections out.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { type KubeClient, pathOf } from '../../src/kube/client.ts';
import { type BareApiServer, bareApiServer, killed } from '../bare/api-server.ts';
import { type BareCluster, bareCluster, SHOP } from '../bare/cluster.ts';
import { controllerManager } from '../bare/controller-manager.ts';
import { keptController } from '../bare/kept-controller.ts';
import { playKubelet } from '../bare/played-kubelet.ts';
import { startPushing } from '../bare/pushing-nodes.ts';
import { sayEnded, sayRunning } from '../bare/said-to-run.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { rolloutsController } from './rollouts-controller.ts';

const NODE = 'node-1';
const VERDICT_S = 600;
const ARGO = 'argoproj.io/v1alpha1';

/** Starts what rolls out in steps, with the kinds it has. `authorities`: a directory that has the controller's before it is asked. */
export type ReleaseTool = (
  client: KubeClient,
  way: { readonly kubeconfigFile: string; readonly authorities: string },
) => Promise<{
  log(): string;
  stop(): Promise<void>;
}>;

export interface ShopOptions {
  /** Missing: Argo Rollouts. */
  readonly tool?: ReleaseTool;
  /** Text of the install's settings; missing: the defaults. */
  readonly settings?: string;
}

/** An object of a sample, to be changed before it is applied. */
export interface SampleObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    replicas?: number;
    checks?: object;
    duration?: object;
    onFailed?: string;
    readonly analysis?: Record<string, unknown>;
    readonly strategy: { readonly canary: { steps: object[] } };
    readonly template: { readonly spec: { readonly containers: { image: string }[] } };
  };
}

export interface RolloutStatus {
  readonly stableRS?: string;
  readonly currentPodHash?: string;
  readonly phase?: string;
  readonly message?: string;
  readonly abort?: boolean;
}

export interface JudgedShop {
  readonly client: KubeClient;
  /** Of the controller, on this machine. */
  readonly httpsPort: number;
  /** Of what rolls out. */
  toolLog(): string;
  /** Applies a file of samples/rollouts, with pods on the node that is only said to be there and a gate that decides within minutes. */
  applySample(file: string, change?: (object: SampleObject) => void): Promise<void>;
  /** The service's pods that run by now. */
  pods(): readonly V1Pod[];
  gate(name?: string): Promise<RegressionGate | undefined>;
  untilGate(
    what: string,
    isSo: (status: NonNullable<RegressionGate['status']>) => boolean,
  ): Promise<RegressionGate>;
  untilRollout(what: string, isSo: (status: RolloutStatus) => boolean): Promise<RolloutStatus>;
  /** A new template: another image. */
  setImage(image: string, kind?: 'rollouts' | 'deployments'): Promise<void>;
  stop(): Promise<void>;
}

const orders = (plural: 'rollouts' | 'deployments') => ({
  ...{ apiVersion: plural === 'rollouts' ? ARGO : 'apps/v1', plural },
  ...{ namespace: SHOP, name: 'orders' },
});

const isOfOrders = ({ metadata }: V1Pod): boolean =>
  ['orders', 'orders-primary'].includes(metadata?.labels?.['app'] ?? '');
const runs = ({ metadata, status }: V1Pod): boolean =>
  status?.phase === 'Running' && metadata?.deletionTimestamp === undefined;

/** That of the samples. */
export const GATE = {
  ...{ apiVersion: API_VERSION, plural: 'regressiongates' },
  ...{ namespace: SHOP, name: 'orders' },
};

/** `controllers`: those of kube-controller-manager. */
export async function judgedShop(
  controllers: readonly string[],
  { tool = rolloutsController, settings = '' }: ShopOptions = {},
): Promise<JudgedShop> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-rollouts-'))).path;
  const api = await bareApiServer();
  begun.defer(api.close);
  const { client } = api;
  const cluster = await bareCluster(client, { nodes: 1, podsOfNode: 0 });
  const manager = controllerManager(api.kubeconfigFile, controllers);
  begun.defer(manager.stop);
  const authorities = join(directory, 'authorities');
  mkdirSync(authorities);
  const release = await tool(client, { kubeconfigFile: api.kubeconfigFile, authorities });
  begun.defer(release.stop);
  const settingsFile = join(directory, 'settings.yaml');
  writeFileSync(settingsFile, settings);
  const httpsPort = await freePort();
  const controller = keptController({
    ...{ kubeconfigFile: api.kubeconfigFile, dataDirectory: directory, httpsPort },
    ...{ podName: 'controller', settingsFile },
  });
  begun.defer(controller.stop);
  const caFile = await cluster.caFile(authorities);
  const jobs = jobRunner(api, directory);
  begun.defer(jobs.stop);
  const kubelet = playKubelet(client, attendOnce(client, jobs.run));
  begun.defer(kubelet.stop);
  const pushing = await startPushing(seenBy(cluster, kubelet.pods), { directory, caFile, port: httpsPort });
  begun.defer(pushing.stop);
  const logs = (): string => `${release.log().slice(-3_000)}\n${controller.log().slice(-3_000)}`;
  const gate = (name = GATE.name) => client.get<RegressionGate>({ ...GATE, name });
  const until = async <T>(what: string, read: () => Promise<T | undefined>, isSo: (seen: T) => boolean) => {
    const seen: { last?: T | undefined } = {};
    return eventually(what, VERDICT_S, async () => {
      seen.last = await read();
      return seen.last !== undefined && isSo(seen.last) ? seen.last : undefined;
    }).catch((error: unknown) => assert.fail(`${String(error)}: ${JSON.stringify(seen.last)}\n${logs()}`));
  };
  const running = begun.move();
  return {
    ...{ client, httpsPort, gate, toolLog: release.log },
    pods: () => kubelet.pods().filter((pod) => isOfOrders(pod) && runs(pod)),
    applySample: (file, change) => applySample(client, { file, httpsPort, ...(change && { change }) }),
    untilGate: (what, isSo) =>
      until(`the gate ${what}`, gate, ({ status }) => status !== undefined && isSo(status)),
    untilRollout: (what, isSo) =>
      until(
        `the Rollout ${what}`,
        async () => (await client.get<{ status?: RolloutStatus }>(orders('rollouts')))?.status,
        isSo,
      ),
    async setImage(image, kind = 'rollouts') {
      const found = await client.get<SampleObject>(orders(kind));
      const [container] = found?.spec.template.spec.containers ?? [];
      const change = { spec: { template: { spec: { containers: [{ ...container, image }] } } } };
      await client.request('PATCH', pathOf(orders(kind)), change, 'application/merge-patch+json');
    },
    stop: () => running.disposeAsync(),
  };
}

interface Sample {
  readonly file: string;
  readonly httpsPort: number;
  readonly change?: (object: SampleObject) => void;
}

async function applySample(client: KubeClient, { file, httpsPort, change }: Sample): Promise<void> {
  const address = 'flamegate-controller.flamegate-system.svc:8443';
  const text = readFileSync(new URL(`../../samples/rollouts/${file}`, import.meta.url), 'utf8');
  for (const document of parseAllDocuments(text.replaceAll(address, `localhost:${httpsPort}`))) {
    const object = document.toJS();
    if (object.kind === 'RegressionGate') {
      object.spec.checks = { cpu: { function: { margin: '2%' } }, latency: [] };
      object.spec.duration = { warmUp: '10s', min: '1m', deadline: '10m' };
    }
    if (object.kind === 'Rollout' || object.kind === 'Deployment') {
      Object.assign(object.spec.template.spec, { nodeName: NODE, terminationGracePeriodSeconds: 0 });
      object.spec.template.spec.containers[0].image = 'orders:stable';
    }
    // Nobody here fills Secrets of accounts: it holds what TokenRequest grants.
    if (object.kind === 'Secret')
      Object.assign(object, { type: 'Opaque', stringData: { token: await tokenOfAsker(client) } });
    change?.(object);
    const { apiVersion, kind, metadata } = object;
    const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');
    const ref = { apiVersion, plural, namespace: SHOP, name: metadata.name };
    await eventually(`${kind} ${metadata.name}`, 60, () =>
      client.apply(ref, object, { fieldManager: 'flamegate-test', force: true }),
    );
  }
}

async function tokenOfAsker(client: KubeClient): Promise<string> {
  const path = `/api/v1/namespaces/${SHOP}/serviceaccounts/gate-asker/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  return (await client.request<{ status: { token: string } }>('POST', path, request)).status.token;
}

/** Says of every new pod of the service that it runs, and runs the command of every new pod of a job. */
function attendOnce(client: KubeClient, runJob: (pod: V1Pod) => void): (pod: V1Pod) => Promise<void> {
  const attended = new Set<string>();
  return async (pod) => {
    const { uid = '', namespace } = pod.metadata ?? {};
    if (namespace !== SHOP || attended.has(uid)) return;
    if (isOfOrders(pod)) await sayRunning(client, pod);
    else runJob(pod);
    attended.add(uid);
  };
}

/** Commands of jobs, by the program of the image from here, as the account that their pods have. */
function jobRunner(api: BareApiServer, directory: string) {
  const program = new URL('../../dist/cli/main.mjs', import.meta.url).pathname;
  const children: ChildProcess[] = [];
  const runs: Promise<void>[] = [];
  const run = async (pod: V1Pod): Promise<void> => {
    const config = JSON.parse(readFileSync(api.kubeconfigFile, 'utf8'));
    config.users[0].user.token = await tokenOfAsker(api.client);
    const file = join(directory, `${pod.metadata?.name}.kubeconfig`);
    writeFileSync(file, JSON.stringify(config));
    const [container] = pod.spec?.containers ?? [];
    assert.equal(container?.command?.[1], '/app/dist/cli/main.mjs');
    const child = spawn(process.execPath, [program, ...(container.args ?? [])], {
      ...{ stdio: 'inherit', env: { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: file } },
    });
    children.push(child);
    const [exitCode] = await once(child, 'exit');
    await sayEnded(api.client, pod, exitCode ?? 1).catch(() => undefined); // where the run was ended before
  };
  return {
    run: (pod: V1Pod) => void runs.push(run(pod)),
    /** One that waits for a gate would go on for an hour. */
    async stop() {
      await Promise.all(children.map(killed));
      await Promise.all(runs);
    },
  };
}

/** The service's pods of each moment; what its revision burns is in the name of its image. */
const seenBy = (cluster: BareCluster, pods: () => readonly V1Pod[]): BareCluster => ({
  ...cluster,
  get pods() {
    return pods()
      .filter((pod) => isOfOrders(pod) && pod.status?.phase === 'Running')
      .map(({ metadata, spec }) => ({
        ...{ name: metadata?.name ?? '', uid: metadata?.uid ?? '', node: NODE },
        track: spec?.containers[0]?.image?.startsWith('orders:slow') === true ? 'canary' : 'stable',
      }));
  },
});
