/**
 * Install, services, policies and gates from git, by the real Argo CD with selfHeal and prune: nothing drifts, nothing restarts that nobody
 * asked for, and a failed gate is seen.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';
import { FLAG_LINE } from '../../src/controller/profiling-policy/flag-variables.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { pathOf } from '../../src/kube/client.ts';
import { findCondition } from '../../src/kube/conditions.ts';
import type { Application } from '../argo-cd/applications.ts';
import {
  CHANGES,
  type Change,
  policyFile,
  SERVICES,
  type Service,
  servicesWithoutPolicies,
} from '../argo-cd/changing-policies.ts';
import { type SyncedInstall, syncedInstall } from '../argo-cd/synced-install.ts';
import { eventually } from '../cluster/cluster.ts';

/** How an Application syncs and compares. */
interface Way {
  readonly syncOptions?: readonly string[];
  readonly compareOptions?: string;
}

/** Namespace, directory and Application by the same name. */
const WAYS: Readonly<Record<string, Way>> = {
  'client-side': {},
  'server-side': { syncOptions: ['ServerSideApply=true'] },
  'server-side-diff': { syncOptions: ['ServerSideApply=true'], compareOptions: 'ServerSideDiff=true' },
};
const NAMESPACES = Object.keys(WAYS);
/** Longer than an agent's window, and than the controller waits before it writes sentences anew. */
const WATCHED_MS = 15_000;
const TOLD_S = 120;
const MERGE = 'application/merge-patch+json';
let install: SyncedInstall;

before(async () => {
  install = await syncedInstall();
});

after(() => install.stop());

const isWell = ({ status }: Application): boolean =>
  status?.sync?.status === 'Synced' && status.health?.status === 'Healthy';

const deployments = (namespace: string, name: string) => ({
  ...{ apiVersion: 'apps/v1', plural: 'deployments' },
  ...{ namespace, name },
});
const policies = (namespace: string, name: string) => ({
  ...{ apiVersion: API_VERSION, plural: 'profilingpolicies' },
  ...{ namespace, name },
});

const deploymentOf = async (namespace: string, name: Service): Promise<V1Deployment> =>
  (await install.client.get<V1Deployment>(deployments(namespace, name))) ?? assert.fail(`no ${name}`);

/** How often its pods were made anew, by Kubernetes' own count of templates. */
async function restartsOf(namespace: string, name: Service): Promise<number> {
  const { metadata } = await deploymentOf(namespace, name);
  return Number(metadata?.annotations?.['deployment.kubernetes.io/revision']) - 1;
}

const hasFlags = (spec: V1Pod['spec']): boolean =>
  spec?.containers[0]?.env?.some(({ value }) => value === FLAG_LINE) === true;

const templateHasFlags = async (namespace: string, name: Service): Promise<boolean> =>
  hasFlags((await deploymentOf(namespace, name)).spec?.template.spec);

const podOf = (namespace: string, name: Service): V1Pod | undefined =>
  install.kubelet
    .pods()
    .find(
      ({ metadata, status }) =>
        metadata?.namespace === namespace && metadata.labels?.['app'] === name && status?.phase === 'Running',
    );

const comesTo = (namespace: string, { policy, reason }: NonNullable<Change['comesTo']>) =>
  eventually(`${namespace}/${policy}: FlagsInjected ${reason}`, TOLD_S, async () => {
    const found = await install.client.get<ProfilingPolicy>(policies(namespace, policy));
    return findCondition(found?.status?.conditions, 'FlagsInjected')?.reason === reason || undefined;
  });

/** As when its node is drained. */
async function madeAnew(namespace: string, name: Service): Promise<void> {
  const before = podOf(namespace, name);
  const ref = { apiVersion: 'v1', plural: 'pods', namespace, name: before?.metadata?.name ?? '' };
  assert.ok(await install.client.delete(ref));
  await eventually(`a pod of ${namespace}/${name} with the flags`, TOLD_S, () => {
    const pod = podOf(namespace, name);
    return (pod?.metadata?.uid !== before?.metadata?.uid && hasFlags(pod?.spec)) || undefined;
  });
}

test('the install becomes Synced and Healthy, with its controller at work, as do flags at Pod creation', async () => {
  const { applications, repository } = install;
  for (const directory of ['config', 'samples']) repository.copy(directory);
  // As docs/argocd.md says for who has the webhook: what the controller writes into it, git has not.
  const path = 'config/argocd/install/kustomization.yaml';
  const kustomization = parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
  const components = ['../../pod-creation/webhook'];
  const revision = repository.commit('install', { [path]: stringify({ ...kustomization, components }) });

  await applications.make(install.manifest('config/argocd/application.yaml'));
  await applications.synced(['flamegate'], revision);
  await install.startController();
  await applications.make(anApplication('pod-creation', 'config/pod-creation/policy-v1beta1'));

  for (const name of ['flamegate', 'pod-creation'])
    await applications.until(name, 'is Synced and Healthy', isWell);
  await eventually('the webhook has the controller’s authority', TOLD_S, async () => {
    const webhook = await install.client.get<{ webhooks: { clientConfig: { caBundle?: string } }[] }>({
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', plural: 'mutatingwebhookconfigurations' },
      name: 'flamegate-pod-creation',
    });
    return webhook?.webhooks[0]?.clientConfig.caBundle !== undefined || undefined;
  });
});

function anApplication(name: string, path: string, { syncOptions = [], compareOptions }: Way = {}): object {
  const source = { repoURL: install.repository.url, targetRevision: 'main', path };
  const destination = { server: 'https://kubernetes.default.svc' };
  const syncPolicy = { automated: { prune: true, selfHeal: true }, syncOptions };
  const annotations = compareOptions ? { 'argocd.argoproj.io/compare-options': compareOptions } : {};
  return {
    ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' },
    metadata: { name, namespace: 'argocd', annotations },
    spec: { project: 'default', source, destination, syncPolicy },
  };
}

test('the sample service is Synced and Healthy with its policy and its gate', async () => {
  const { applications, repository } = install;
  // A gate that decides within minutes.
  const file = 'samples/regression-gate.yaml';
  const gate = parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
  gate.spec.checks = { cpu: { function: { margin: '2%' } }, latency: [] };
  gate.spec.duration = { warmUp: '10s', min: '1m', deadline: '10m' };
  const revision = repository.commit('a quick gate', { [file]: stringify(gate) });

  await applications.make(install.manifest('samples/argocd/application.yaml'));
  await install.startAgent(); // the gate's wave waits for the policy's, and that for an agent's word
  await applications.synced(['shop'], revision);

  const { status } = await applications.until('shop', 'is Synced and Healthy', isWell);
  const health = new Map(status?.resources?.map((each) => [each.kind, each.health?.status]));
  for (const kind of ['Deployment', 'ProfilingPolicy', 'RegressionGate'])
    assert.equal(health.get(kind), 'Healthy', kind);
});

/** Restarts that were asked for by now, of each namespace alike. */
const asked = new Map<Service, number>(SERVICES.map((name) => [name, 0]));

/** What one commit came to, from the moment that it is synced. */
async function syncedAndWatched(change: Change) {
  const { applications, repository } = install;
  const files = Object.assign({}, ...NAMESPACES.map((namespace) => change.files(namespace)));
  await applications.synced(NAMESPACES, repository.commit(change.what, files));
  const watch = applications.watchDrift();
  const watched = delay(WATCHED_MS);
  for (const namespace of NAMESPACES) {
    if (change.comesTo) await comesTo(namespace, change.comesTo);
    if (change.drained) await madeAnew(namespace, change.drained);
  }
  await watched;
  return watch.stop();
}

test('ten syncs while policies come, change and go: no drift, and no restart that nobody asked for', async () => {
  const { applications, repository } = install;
  const files = Object.assign({}, ...NAMESPACES.map(servicesWithoutPolicies));
  const revision = repository.commit('services', files);
  for (const [name, way] of Object.entries(WAYS)) await applications.make(anApplication(name, name, way));
  await applications.synced(NAMESPACES, revision);
  for (const name of NAMESPACES) await applications.until(name, 'is Synced and Healthy', isWell);

  const sums = { looks: 0, watchedS: 0, outOfSyncS: 0, restarts: 0, asked: 0 };
  for (const change of CHANGES) {
    const drift = await syncedAndWatched(change);
    for (const name of change.restarts) asked.set(name, (asked.get(name) ?? 0) + 1);

    console.log(
      `${change.what}: watched for ${drift.watchedS.toFixed(0)} s, OutOfSync ${drift.outOfSyncS.toFixed(1)} s`,
    );
    assert.deepEqual(drift.seen, [], change.what);
    for (const namespace of NAMESPACES)
      for (const [name, times] of asked)
        assert.equal(await restartsOf(namespace, name), times, `${change.what}: ${namespace}/${name}`);
    sums.looks += drift.looks;
    sums.watchedS += drift.watchedS;
    sums.outOfSyncS += drift.outOfSyncS;
  }

  for (const name of NAMESPACES) await applications.until(name, 'is Synced and Healthy', isWell);
  for (const namespace of NAMESPACES) assert.equal(await templateHasFlags(namespace, 'rolled'), false);
  const restarts = [...asked.values()].reduce((sum, times) => sum + times, 0) * NAMESPACES.length;
  console.log(
    `${CHANGES.length * NAMESPACES.length} syncs, ${sums.looks} looks in ${sums.watchedS.toFixed(0)} s: OutOfSync ${sums.outOfSyncS} s, ${restarts} restarts, all asked for`,
  );
});

test('what a hand changes is put back, and the flags of a template stay', async () => {
  const { applications, client, repository } = install;
  const files = Object.assign(
    {},
    ...NAMESPACES.map((namespace) => policyFile(namespace, 'rolled', 'Immediate')),
  );
  await applications.synced(NAMESPACES, repository.commit('flags in templates', files));
  for (const namespace of NAMESPACES) {
    await comesTo(namespace, { policy: 'rolled', reason: 'Injected' });
    await client.request('PATCH', pathOf(deployments(namespace, 'rolled')), { spec: { replicas: 2 } }, MERGE);
    const rate = { spec: { cpu: { frequencyHz: 7 } } };
    await client.request('PATCH', pathOf(policies(namespace, 'rolled')), rate, MERGE);
  }

  for (const namespace of NAMESPACES) {
    await eventually(`${namespace} is as git has it`, TOLD_S, async () => {
      const policy = await client.get<ProfilingPolicy>(policies(namespace, 'rolled'));
      const { spec } = await deploymentOf(namespace, 'rolled');
      return (spec?.replicas === 1 && policy?.spec.cpu.frequencyHz === 49) || undefined;
    });
    await applications.until(namespace, 'is Synced and Healthy again', isWell);
    assert.equal(await templateHasFlags(namespace, 'rolled'), true);
    assert.equal(await restartsOf(namespace, 'rolled'), (asked.get('rolled') ?? 0) + 1);
  }
});

const CANARY = 'samples/orders/k8s/kustomization.yaml';
const withCanary = (resources: readonly string[]): string =>
  stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources });
const PLAIN = ['namespace.yaml', 'deployment.yaml', 'service.yaml'];

const gateIn = ({ status }: Application) => status?.resources?.find(({ kind }) => kind === 'RegressionGate');

test('a slow canary from git has its Application Degraded, and its revert has it Healthy again', async () => {
  const { applications, repository } = install;

  const slow = repository.commit('a canary', { [CANARY]: withCanary([...PLAIN, 'canary.yaml']) });
  await applications.synced(['shop'], slow);
  const compares = await applications.until(
    'shop',
    'is Progressing while the gate compares',
    (each) => gateIn(each)?.health?.status === 'Progressing',
  );
  assert.equal(compares.status?.sync?.status, 'Synced');
  const degraded = await applications.until(
    'shop',
    'is Degraded',
    ({ status }) => status?.health?.status === 'Degraded',
  );
  assert.equal(gateIn(degraded)?.health?.status, 'Degraded');
  assert.match(gateIn(degraded)?.health?.message ?? '', /shop\.Json\.encode/);
  assert.equal(degraded.status?.sync?.status, 'Synced');

  const reverted = repository.commit('no canary', { [CANARY]: withCanary(PLAIN) });
  await applications.synced(['shop'], reverted);
  await applications.until('shop', 'is Synced and Healthy again', isWell);
});
