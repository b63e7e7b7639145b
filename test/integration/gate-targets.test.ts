/**
 * Gates on workloads other than Deployments, by the controller as a process with an install's roles. StatefulSets, Deployments and
 * ReplicaSets are the cluster's own, and so are their pods; Rollouts and Canaries are objects of kinds made for the test, whose status a
 * test writes as their controllers do (test/full has a real one).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { V1StatefulSet } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { call } from '../../src/controller/ingest/testing/https-client.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { TARGET_KINDS, type TargetKind } from '../../src/crds/target-kinds.ts';
import { FLAGGER_HOOKS, flaggerWebhookPath, verdictPath } from '../../src/wire/endpoints.ts';
import { eventually } from '../cluster/cluster.ts';
import { client, dropNamespace, makeNamespace } from './support/api-server.ts';
import { type InstalledController, installedController, tokenOf } from './support/installed-controller.ts';
import { aTemplate, type Place, patch, patchStatus, untilRunning } from './support/played-workloads.ts';

const NAMESPACE = `flamegate-targets-${process.pid}`;
const ours = { apiVersion: API_VERSION, namespace: NAMESPACE };
const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
let controller: InstalledController;

/** Where objects of its kind are made. */
const besides = ({ apiVersion, plural, namespace }: Place) => ({ apiVersion, plural, namespace });

const at = (kind: TargetKind | 'ReplicaSet', name: string): Place => ({
  ...(kind === 'ReplicaSet' ? { apiVersion: 'apps/v1', plural: 'replicasets' } : TARGET_KINDS[kind]),
  ...{ namespace: NAMESPACE, name },
});

before(async () => {
  for (const name of ['rollouts.argoproj.io', 'canaries.flagger.app']) {
    const found = await client.get({ ...DEFINITIONS, name });
    assert.equal(found, undefined, `${name} is installed: this test needs a cluster without`);
  }
  controller = await installedController('webhooks: {flagger: true}\n');
  await makeNamespace(NAMESPACE);
  const policy = { ...{ apiVersion: API_VERSION, kind: 'ProfilingPolicy', metadata: { name: 'jvms' } } };
  const spec = { podSelector: { matchLabels: { team: 'shop' } } };
  await client.create({ ...ours, plural: 'profilingpolicies' }, { ...policy, spec });
  for (const [kind, name] of [
    ['StatefulSet', 'ledger'],
    ['Rollout', 'orders'],
    ['Canary', 'basket'],
  ] as const) {
    const targetRef = { apiVersion: TARGET_KINDS[kind].apiVersion, kind, name };
    const gate = { apiVersion: API_VERSION, kind: 'RegressionGate', metadata: { name } };
    await client.create({ ...ours, plural: 'regressiongates' }, { ...gate, spec: { targetRef } });
  }
});

after(async () => {
  await dropNamespace(NAMESPACE);
  await controller.remove();
  for (const name of ['rollouts.argoproj.io', 'canaries.flagger.app']) {
    await client.delete({ ...DEFINITIONS, name });
  }
});

async function installDefinition(file: string): Promise<void> {
  const definition = parse(readFileSync(new URL(`../fixtures/crds/${file}`, import.meta.url), 'utf8'));
  await client.create(DEFINITIONS, definition);
}

async function gateNamed(name: string): Promise<RegressionGate> {
  const gate = await client.get<RegressionGate>({ ...ours, plural: 'regressiongates', name });
  return gate ?? assert.fail(`no gate ${name}`);
}

/** Condition `type` of a gate as `status reason: message`. */
async function condition(name: string, type: string): Promise<string> {
  const found = (await gateNamed(name)).status?.conditions?.find((each) => each.type === type);
  return found === undefined ? '' : `${found.status} ${found.reason}: ${found.message}`;
}

/** Until it is; what it was last is said when it never comes. */
async function untilCondition(name: string, type: string, expected: RegExp): Promise<void> {
  const seen = { last: '' };
  await eventually(`${type} of ${name} ${expected}`, 60, async () => {
    seen.last = await condition(name, type);
    return expected.test(seen.last) ? true : undefined;
  }).catch((error: unknown) =>
    assert.fail(`${String(error)}: it is ${seen.last}\n${controller.log().slice(-2_000)}`),
  );
}

/** Baseline and canary of the evaluation that a gate shows. */
async function untilEvaluation(name: string, expected: string): Promise<void> {
  const seen = { last: '' };
  await eventually(`evaluation ${expected} of ${name}`, 60, async () => {
    const { evaluation } = (await gateNamed(name)).status ?? {};
    seen.last = `${evaluation?.baseline} | ${evaluation?.canary}`;
    return seen.last === expected ? true : undefined;
  }).catch((error: unknown) => assert.fail(`${String(error)}: it is ${seen.last}`));
}

test('an install without the optional roles runs, and each gate says which is missing', async () => {
  await untilCondition(
    'ledger',
    'Stalled',
    /^True NotPermitted: .*statefulsets\.apps: apply config\/targets\/stateful-sets/,
  );
  await untilCondition(
    'orders',
    'Stalled',
    /^True NotPermitted: .*rollouts\.argoproj\.io: apply config\/targets\/argo-rollouts/,
  );
  await untilCondition(
    'basket',
    'Stalled',
    /^True NotPermitted: .*canaries\.flagger\.app: apply config\/targets\/flagger/,
  );
  assert.equal(controller.ended(), false);
});

test('with the roles it is said which kinds the cluster lacks, and then which objects', async () => {
  for (const directory of ['stateful-sets', 'argo-rollouts', 'flagger']) {
    await controller.install(`targets/${directory}/role.yaml`);
  }

  await untilCondition('ledger', 'Stalled', /^True TargetNotFound: no StatefulSet ledger in namespace/);
  await untilCondition(
    'orders',
    'Stalled',
    /^True TargetNotFound: the cluster does not serve rollouts\.argoproj\.io/,
  );
  await untilCondition(
    'basket',
    'Stalled',
    /^True TargetNotFound: the cluster does not serve canaries\.flagger\.app/,
  );
  const errors = controller
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":50'));
  assert.deepEqual(errors, []);
  // Now, since the controller looks for them the more rarely the longer they are not there, up to every half minute.
  await installDefinition('rollouts.yaml');
  await installDefinition('canaries.yaml');
  await untilCondition('orders', 'Stalled', /^True TargetNotFound: no Rollout orders in namespace/);
  await untilCondition('basket', 'Stalled', /^True TargetNotFound: no Canary basket in namespace/);
});

test('a StatefulSet that is held by a partition is compared, and remembered when it has rolled out', async () => {
  const labels = { app: 'ledger', team: 'shop' };
  const set = at('StatefulSet', 'ledger');
  const updateStrategy = (partition: number) => ({ type: 'RollingUpdate', rollingUpdate: { partition } });
  await client.create(besides(set), {
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'ledger' } },
    spec: {
      ...{ replicas: 3, serviceName: 'ledger', podManagementPolicy: 'Parallel' },
      ...{ selector: { matchLabels: labels }, template: aTemplate(labels, 'ledger:1') },
      updateStrategy: updateStrategy(2),
    },
  });
  await untilRunning(NAMESPACE, labels, 3);
  await untilCondition('ledger', 'BaselineResolved', /^False NoCanaryPods: .* has revision ledger-\w+ only/);

  await patch(set, { spec: { template: aTemplate(labels, 'ledger:2') } });
  const { updateRevision = '', currentRevision = '' } = await eventually(
    'the update revision',
    30,
    async () => {
      const { status } = (await client.get<V1StatefulSet>(set)) ?? {};
      return status?.updateRevision === status?.currentRevision ? undefined : status;
    },
  );
  const revision = 'controller-revision-hash';
  await untilRunning(NAMESPACE, { ...labels, [revision]: updateRevision }, 1);
  await untilEvaluation('ledger', `${currentRevision} | ${updateRevision}`);

  await patch(set, { spec: { updateStrategy: updateStrategy(0) } });
  await eventually('all pods are of the update revision', 60, async () => {
    await untilRunning(NAMESPACE, labels, 3);
    const { status } = (await client.get<V1StatefulSet>(set)) ?? {};
    return status?.currentRevision === updateRevision ? true : undefined;
  });
  await untilCondition('ledger', 'BaselineResolved', /^False BaselineGone: /);
  await untilEvaluation('ledger', `${currentRevision} | ${updateRevision}`);
});

async function createReplicaSet(rollout: { uid: string }, hash: string, image: string): Promise<void> {
  const labels = { app: 'orders', team: 'shop', 'rollouts-pod-template-hash': hash };
  const { apiVersion } = TARGET_KINDS.Rollout;
  const owner = { apiVersion, kind: 'Rollout', name: 'orders', uid: rollout.uid, controller: true };
  await client.create(besides(at('ReplicaSet', hash)), {
    ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    metadata: { name: `orders-${hash}`, labels, ownerReferences: [owner] },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: aTemplate(labels, image) },
  });
  await untilRunning(NAMESPACE, labels, 2);
}

test('an Argo Rollout is compared by its hashes, and no more once it is aborted', async () => {
  const place = at('Rollout', 'orders');
  const object = { apiVersion: place.apiVersion, kind: 'Rollout', metadata: { name: 'orders' }, spec: {} };
  const { metadata } = await client.create<{ metadata: { uid: string } }>(besides(place), object);
  await createReplicaSet(metadata, '7d4b9c', 'orders:1');
  await patchStatus(place, { stableRS: '7d4b9c', currentPodHash: '7d4b9c', phase: 'Healthy' });
  await untilCondition(
    'orders',
    'BaselineResolved',
    /^False NoCanaryPods: Rollout\/orders has revision 7d4b9c only/,
  );

  await createReplicaSet(metadata, '6f7c8d', 'orders:2');
  await patchStatus(place, { currentPodHash: '6f7c8d', phase: 'Progressing' });
  await untilEvaluation('orders', '7d4b9c | 6f7c8d');

  await patchStatus(place, { abort: true, phase: 'Degraded' });
  await patch(at('ReplicaSet', 'orders-6f7c8d'), { spec: { replicas: 0 } });
  await untilCondition(
    'orders',
    'BaselineResolved',
    /^False NoCanaryPods: no pod of Rollout\/orders's newest revision 6f7c8d/,
  );
});

async function createDeployment(name: string, image: string, replicas: number): Promise<void> {
  const labels = { app: name, team: 'shop' };
  await client.create(besides(at('Deployment', name)), {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
    spec: { replicas, selector: { matchLabels: labels }, template: aTemplate(labels, image) },
  });
  await untilRunning(NAMESPACE, labels, replicas);
}

test('a Flagger Canary is compared with its primary while it is on trial', async () => {
  const place = at('Canary', 'basket');
  const targetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'basket' };
  const object = { apiVersion: place.apiVersion, kind: 'Canary', metadata: { name: 'basket' } };
  await client.create(besides(place), { ...object, spec: { targetRef } });
  await createDeployment('basket', 'basket:2', 1);
  await createDeployment('basket-primary', 'basket:1', 2);
  await patchStatus(place, { phase: 'Initialized' });
  await untilCondition('basket', 'BaselineResolved', /^False NoCanaryPods: /);

  await patchStatus(place, { phase: 'Progressing', canaryWeight: 5 });
  const hashOf = async (app: string) => {
    const [pod] = await untilRunning(NAMESPACE, { app }, app === 'basket' ? 1 : 2);
    return pod?.metadata?.labels?.['pod-template-hash'] ?? assert.fail(app);
  };
  await untilEvaluation('basket', `${await hashOf('basket-primary')} | ${await hashOf('basket')}`);
});

test('Flagger, without a token, is told the verdict of what it has on trial, and of nothing else', async () => {
  const { httpsPort: port, ca } = controller;
  const told = async (name: string) => {
    const body = Buffer.from(
      JSON.stringify({ name, namespace: NAMESPACE, phase: 'Progressing', checksum: 'x' }),
    );
    const headers = { 'content-type': 'application/json' };
    const answers = FLAGGER_HOOKS.map((hook) =>
      call({ port, ca, method: 'POST', path: flaggerWebhookPath(hook), headers, body }),
    );
    return (await Promise.all(answers)).map(({ status, text }) => `${status} ${JSON.parse(text).code}`);
  };
  const undecided = ['200 CANARY_UNDECIDED', '409 CANARY_UNDECIDED', '409 CANARY_UNDECIDED'];
  assert.deepEqual(await told('basket'), undecided);
  assert.deepEqual(await told('no-such-canary'), undecided);

  const { report = '' } = (await gateNamed('basket')).status?.evaluation ?? {};
  const decided = { verdict: 'Failed', reason: 'FunctionGrew', decidedAt: new Date().toISOString() };
  await patchStatus({ ...ours, plural: 'regressionreports', name: report }, decided);
  const failed = ['409 CANARY_FAILED', '409 CANARY_FAILED', '200 CANARY_FAILED'];
  await eventually('the verdict is told', 60, async () =>
    (await told('basket')).join() === failed.join() ? true : undefined,
  );

  await patchStatus(at('Canary', 'basket'), { phase: 'Failed' });
  await eventually('nothing is told any more', 60, async () =>
    (await told('basket')).join() === undecided.join() ? true : undefined,
  );
});

test('the verdict of a Rollout is answered for its hash, to an account that may get gates there', async () => {
  const accounts = { apiVersion: 'v1', plural: 'serviceaccounts', namespace: NAMESPACE };
  for (const name of ['asker', 'stranger']) {
    await client.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
  }
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', namespace: NAMESPACE };
  const rules = [{ apiGroups: ['flamegate.dev'], resources: ['regressiongates'], verbs: ['get'] }];
  const of = (kind: string) => ({ apiVersion: rbac.apiVersion, kind, metadata: { name: 'asker' } });
  await client.create({ ...rbac, plural: 'roles' }, { ...of('Role'), rules });
  await client.create(
    { ...rbac, plural: 'rolebindings' },
    {
      ...of('RoleBinding'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'asker' },
      subjects: [{ kind: 'ServiceAccount', name: 'asker', namespace: NAMESPACE }],
    },
  );
  const tokens = { asker: await tokenOf(NAMESPACE, 'asker'), stranger: await tokenOf(NAMESPACE, 'stranger') };
  const ask = async (account: keyof typeof tokens, canary: string) => {
    const { httpsPort: port, ca } = controller;
    const path = `${verdictPath(NAMESPACE, 'orders')}?canary=${canary}`;
    const answer = await call({ port, ca, path, headers: { authorization: `Bearer ${tokens[account]}` } });
    const { verdict = '', code = '', baseline = '' } = JSON.parse(answer.text);
    return `${answer.status} ${verdict}${code}${baseline && ` against ${baseline}`}`;
  };

  assert.equal(await ask('asker', '6f7c8d'), '200 Pending against 7d4b9c');
  assert.equal(await ask('asker', 'ffffff'), '200 Pending');
  assert.equal(await ask('stranger', '6f7c8d'), '403 VIEWER_NOT_ALLOWED');
});
