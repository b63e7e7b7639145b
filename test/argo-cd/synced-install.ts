/**
 * A cluster whose install and services come from git by the real Argo CD. Real are the API server, Kubernetes' controllers of workloads, Argo CD
 * and Flamegate's controller, which runs here with the account and the roles that Argo CD has synced; that pods run is only said, and what
 * they burn is pushed by agents' own code with the token of the pod that the DaemonSet has made.
 */
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { FLAG_VARIABLES } from '../../src/crds/profiling-policy.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { type BareApiServer, bareApiServer } from '../bare/api-server.ts';
import { AGENTS, agentToken, type BarePod, SYSTEM, writeAuthority } from '../bare/cluster.ts';
import { controllerManager } from '../bare/controller-manager.ts';
import { keptController } from '../bare/kept-controller.ts';
import { type PlayedKubelet, pathOfPod, playKubelet, runOrRemove } from '../bare/played-kubelet.ts';
import { startPushing } from '../bare/pushing-nodes.ts';
import { eventually } from '../cluster/cluster.ts';
import { freePort } from '../free-port.ts';
import { type Applications, argoApplications } from './applications.ts';
import { argoCd } from './argo-cd.ts';
import { type GitRepository, gitRepository } from './git-repository.ts';

export interface SyncedInstall {
  readonly client: KubeClient;
  readonly repository: GitRepository;
  readonly applications: Applications;
  readonly kubelet: PlayedKubelet;
  /** An Application of this project's, of the repository here. */
  manifest(file: string): object;
  /** From now on; the install has to be synced. */
  startController(): Promise<void>;
  /** Of the agent whose pod the DaemonSet makes as soon as there is a policy. */
  startAgent(): Promise<void>;
  stop(): Promise<void>;
}

const NODE = 'node-1';
const WORKLOADS = ['deployment', 'replicaset', 'daemonset', 'garbage-collector'];
/** What Kubernetes 1.35 has behind a gate. */
const ADMISSION_POLICIES = [
  '--feature-gates=MutatingAdmissionPolicy=true',
  '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
];

export async function syncedInstall(): Promise<SyncedInstall> {
  await using begun = new AsyncDisposableStack();
  const directory = begun.use(mkdtempDisposableSync(join(tmpdir(), 'flamegate-argo-cd-'))).path;
  const api = await bareApiServer(ADMISSION_POLICIES);
  begun.defer(api.close);
  const { client, kubeconfigFile } = api;
  const workloads = WORKLOADS.map((name) => `${name}-controller`);
  begun.defer(controllerManager(kubeconfigFile, workloads).stop);
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } };
  await client.create({ apiVersion: 'v1', plural: 'nodes' }, node);
  const kubelet = playKubelet(client, (pod) => bindAndRun(client, pod));
  begun.defer(kubelet.stop);
  const repository = gitRepository(join(directory, 'repository'));
  const argo = await argoCd(client, kubeconfigFile, join(directory, 'argo-cd'));
  begun.defer(argo.stop);
  let controllerLog = () => '';
  const explain = (): string => `${argo.log()}\ncontroller:\n${controllerLog().slice(-3_000)}`;
  const httpsPort = await freePort();
  const applications = await argoApplications(client, explain);
  const running = begun.move();
  return {
    ...{ client, repository, kubelet, applications, stop: () => running.disposeAsync() },
    manifest: (file) => manifestOf(file, repository.url),
    async startController() {
      const controller = await controllerAsInstalled(api, join(directory, 'controller'), httpsPort);
      controllerLog = controller.log;
      running.defer(controller.stop);
    },
    async startAgent() {
      const agents = join(directory, 'agents');
      mkdirSync(agents);
      const way = { directory: agents, caFile: await writeAuthority(client, directory), port: httpsPort };
      const cluster = {
        nodes: [NODE],
        get pods() {
          return kubelet.pods().flatMap(seenBy);
        },
        tokenFile: () => writeToken(client, kubelet, directory),
      };
      running.defer((await startPushing(cluster, way)).stop);
    },
  };
}

/** There is no scheduler, and one node. */
async function bindAndRun(client: KubeClient, pod: V1Pod): Promise<void> {
  const { metadata: { name = '', namespace = '', deletionTimestamp } = {}, spec } = pod;
  if (spec?.nodeName === undefined && deletionTimestamp === undefined) {
    const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
    await client.request('POST', `${pathOfPod(pod)}/binding`, binding);
  }
  await runOrRemove(client, pod);
}

function manifestOf(file: string, url: string): object {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  return parse(text.replaceAll(/https:\/\/git\.example\.com\/\S+/g, url));
}

/** With the rights that the install gives its pod. */
async function controllerAsInstalled(api: BareApiServer, directory: string, httpsPort: number) {
  mkdirSync(directory);
  const path = `/api/v1/namespaces/${SYSTEM}/serviceaccounts/flamegate-controller/token`;
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
  const { status } = await api.client.request<{ status: { token: string } }>('POST', path, request);
  const config = JSON.parse(readFileSync(api.kubeconfigFile, 'utf8'));
  config.users[0].user.token = status.token;
  const kubeconfigFile = join(directory, 'kubeconfig');
  writeFileSync(kubeconfigFile, JSON.stringify(config));
  const webhookPort = await freePort();
  return keptController({
    ...{ kubeconfigFile, dataDirectory: join(directory, 'data'), httpsPort, webhookPort },
    podName: 'controller',
  });
}

async function writeToken(client: KubeClient, kubelet: PlayedKubelet, directory: string): Promise<string> {
  const pod = await eventually('a pod of the agents’ DaemonSet', 120, () =>
    kubelet
      .pods()
      .find(({ metadata, status }) => metadata?.namespace === AGENTS && status?.phase === 'Running'),
  );
  const file = join(directory, 'token');
  writeFileSync(file, await agentToken(client, pod.metadata?.name ?? ''));
  return file;
}

/** What an agent would find in the pod: a JVM with the variables of its container, whose slow revision says so in its environment. */
function seenBy({ metadata, spec, status }: V1Pod): readonly BarePod[] {
  const { name = '', uid = '', namespace = '' } = metadata ?? {};
  const [container] = spec?.containers ?? [];
  const isFlamegate = [SYSTEM, AGENTS].includes(namespace);
  if (isFlamegate || status?.phase !== 'Running' || metadata?.deletionTimestamp !== undefined) return [];
  const set = (container?.env ?? []).map((variable) => variable.name);
  const environment = FLAG_VARIABLES.filter((variable) => set.includes(variable));
  const isSlow = container?.env?.some((one) => one.name === 'CODEC' && one.value === 'slow') === true;
  const track = isSlow ? 'canary' : 'stable';
  return [{ name, uid, namespace, node: NODE, track, container: container?.name ?? '', environment }];
}
