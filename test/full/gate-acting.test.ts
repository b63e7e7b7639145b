/**
 * What a gate does about rollouts, on a real API server with Kubernetes' own controller of Deployments, by an account that has the optional
 * roles and nothing else. The Rollout is an object of a kind made for the test (test/full has the real controller).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';
import { markOf, ownersOfPause } from '../../src/controller/acting/pause-mark.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { TARGET_KINDS } from '../../src/crds/target-kinds.ts';
import { eventually } from '../cluster/cluster.ts';
import { type ActingGate, actingGate, setSpec } from '../integration/support/acting-gate.ts';
import {
  client,
  deploymentRef,
  dropNamespace,
  installKinds,
  makeNamespace,
} from '../integration/support/api-server.ts';
import { aTemplate, patch, patchStatus, untilRunning } from '../integration/support/played-workloads.ts';

const NAMESPACE = `flamegate-acting-${process.pid}`;
const LABELS = { app: 'orders', team: 'shop' };
const ORDERS = deploymentRef(NAMESPACE, 'orders');
const ROLLOUT = { ...TARGET_KINDS.Rollout, namespace: NAMESPACE, name: 'basket' };
const DEFINITIONS = { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' };
const ACCOUNT = 'acting';
const REPLICAS = 4;
const ours = { apiVersion: API_VERSION, namespace: NAMESPACE };
const gatesRef = { ...ours, plural: 'regressiongates' };
let gate: ActingGate;
let image = 1;

const createGate = (name: string, spec: object): Promise<unknown> =>
  client.create(gatesRef, { apiVersion: API_VERSION, kind: 'RegressionGate', metadata: { name }, spec });

const onOrders = { targetRef: { kind: 'Deployment', name: 'orders' }, mode: 'HoldRollout' };

before(async () => {
  await installKinds();
  await makeNamespace(NAMESPACE);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT } };
  await client.create({ apiVersion: 'v1', plural: 'serviceaccounts', namespace: NAMESPACE }, account);
  await grant('reads', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }]);
  const policy = { apiVersion: API_VERSION, kind: 'ProfilingPolicy', metadata: { name: 'jvms' } };
  const spec = { podSelector: { matchLabels: { team: 'shop' } } };
  await eventually('the kinds are served', 30, () =>
    client.create({ ...ours, plural: 'profilingpolicies' }, { ...policy, spec }),
  );
  await client.create(
    { apiVersion: ORDERS.apiVersion, plural: ORDERS.plural, namespace: NAMESPACE },
    {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'orders' } },
      spec: {
        replicas: REPLICAS,
        selector: { matchLabels: LABELS },
        template: aTemplate(LABELS, 'orders:1'),
      },
    },
  );
  await untilRunning(NAMESPACE, LABELS, REPLICAS);
  await createGate('orders', onOrders);
  gate = await actingGate(NAMESPACE, 'orders', ACCOUNT);
});

after(async () => {
  await gate.stop();
  await dropNamespace(NAMESPACE);
  await client.delete({ ...DEFINITIONS, name: 'rollouts.argoproj.io' });
});

/** To the account, in this namespace, as a RoleBinding of an install's ClusterRole would. */
async function grant(name: string, rules: unknown): Promise<void> {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', namespace: NAMESPACE };
  const of = (kind: string) => ({ apiVersion: rbac.apiVersion, kind, metadata: { name } });
  await client.create({ ...rbac, plural: 'roles' }, { ...of('Role'), rules });
  await client.create(
    { ...rbac, plural: 'rolebindings' },
    {
      ...of('RoleBinding'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: NAMESPACE }],
    },
  );
}

async function grantTarget(directory: string): Promise<void> {
  const file = new URL(`../../config/targets/${directory}/role.yaml`, import.meta.url);
  const [role] = parseAllDocuments(readFileSync(file, 'utf8'));
  await grant(directory, role?.toJS().rules);
  gate.moveAhead(61_000); // what may be done is asked for once a minute
}

async function orders(): Promise<V1Deployment> {
  return (await client.get<V1Deployment>(ORDERS)) ?? assert.fail('no Deployment');
}

async function rollOut(): Promise<string> {
  image += 1;
  await patch(ORDERS, { spec: { template: aTemplate(LABELS, `orders:${image}`) } });
  return `orders:${image}`;
}

async function untilHeld(): Promise<string> {
  const { status } = await gate.untilSays('that it holds', ({ action }) => action?.state === 'Holding');
  const revision = status?.action?.revision ?? '';
  await untilRunning(NAMESPACE, { ...LABELS, 'pod-template-hash': revision }, await desiredOf(revision));
  return revision;
}

async function desiredOf(hash: string): Promise<number> {
  const name = `orders-${hash}`;
  const ref = { apiVersion: 'apps/v1', plural: 'replicasets', namespace: NAMESPACE, name };
  return (await client.get<{ spec: { replicas: number } }>(ref))?.spec.replicas ?? 0;
}

/** Until all pods are of the newest template, and run. */
async function untilRolledOut(): Promise<void> {
  await eventually('it is rolled out', 60, async () => {
    const pods = await untilRunning(NAMESPACE, LABELS, REPLICAS);
    return pods.every(({ spec }) => spec?.containers[0]?.image === `orders:${image}`) || undefined;
  });
}

const actionOf = (status: {
  readonly action?: { readonly state: string; readonly reason: string };
}): string => `${status.action?.state} ${status.action?.reason}`;

const untilAction = (expected: string) => gate.untilSays(expected, (status) => actionOf(status) === expected);

test('a gate says that it may not act before it would have to, and which role is missing', async () => {
  const { status } = await untilAction('Refused NotPermitted');

  assert.match(
    status?.action?.message ?? '',
    /may not patch deployments\.apps .*config\/targets\/deployments-pausing/,
  );
  const stopped = status?.conditions?.find(({ type }) => type === 'RolloutStopped');
  assert.equal(`${stopped?.status} ${stopped?.reason}`, 'False Refused');
  await grantTarget('deployments-pausing');
  await gate.untilSays(
    'that it is idle',
    ({ action, conditions }) =>
      action === undefined && conditions?.some(({ reason }) => reason === 'Idle') === true,
  );
});

test('a Deployment’s new revision is held on a part of its pods, and goes on when it passed', async () => {
  await rollOut();
  const revision = await untilHeld();

  const held = await orders();
  assert.equal(held.spec?.paused, true);
  assert.deepEqual(ownersOfPause(held), ['flamegate-acting']);
  assert.deepEqual({ ...markOf(held), since: '' }, { gate: 'orders', revision, since: '', why: 'Undecided' });
  const canaries = await desiredOf(revision);
  assert.ok(canaries > 0 && canaries < REPLICAS, `${canaries} pods`);

  await gate.verdict('Passed');
  await untilAction('Released Passed');
  const released = await orders();
  assert.equal(released.spec?.paused, undefined);
  assert.equal(markOf(released), undefined);
  await untilRolledOut();
});

test('a Failed revision stays paused under the next leader, and a newer one begins anew', async () => {
  await rollOut();
  const failed = await untilHeld();
  await gate.verdict('Failed');
  await untilAction('Paused Failed');
  gate.restart();
  await gate.look(2);
  assert.equal((await orders()).spec?.paused, true);

  await rollOut();
  const next = await untilHeld();
  assert.notEqual(next, failed);
  await gate.verdict('Passed');
  await untilAction('Released Passed');
  await untilRolledOut();
});

test('the command line of the status takes a Failed revision back, and the way back is not held', async () => {
  const before = image;
  await rollOut();
  await untilHeld();
  await gate.verdict('Failed');
  const { status } = await untilAction('Paused Failed');

  const programs = execFileSync(new URL('../cluster/build.sh', import.meta.url).pathname, {
    encoding: 'utf8',
  });
  const program = `${join(programs.trim(), 'kubeling')} kubectl`;
  const line = status?.action?.undo?.replaceAll('kubectl', program) ?? assert.fail('no line');
  const env = { ...process.env, KUBECONFIG: process.env['FLAMEGATE_TEST_KUBECONFIG'] };
  execFileSync('bash', ['-c', line], { stdio: 'pipe', env });

  image = before;
  await gate.look(3);
  assert.equal((await orders()).spec?.paused, undefined);
  await untilRolledOut();
});

test('somebody who resumes wins, and the next revision is held again', async () => {
  image += 10; // none of those before
  await rollOut();
  await untilHeld();
  await patch(ORDERS, { spec: { paused: false } });
  await untilAction('Overruled ResumedByOthers');
  await gate.look(2);
  assert.equal((await orders()).spec?.paused, undefined);
  await untilRolledOut();

  await rollOut();
  await untilHeld();
});

test('a pause that somebody else asks for, too, is not taken from them', async () => {
  const { namespace, name } = ORDERS;
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { paused: true },
  };
  await client.apply(ORDERS, object, { fieldManager: 'somebody' });

  await gate.verdict('Passed');
  await untilAction('Released Passed');

  const left = await orders();
  assert.equal(left.spec?.paused, true);
  assert.deepEqual(ownersOfPause(left), ['somebody']);
  await client.apply(ORDERS, { ...object, spec: { paused: false } }, { fieldManager: 'somebody' });
  await untilRolledOut();

  await rollOut();
  const { status } = await untilAction('Refused Conflict');
  assert.match(status?.action?.message ?? '', /conflict with "somebody".* \.spec\.paused/);
  await client.apply(ORDERS, { ...object, spec: {} }, { fieldManager: 'somebody' });
  await untilRolledOut();
});

test('a gate that is deleted releases what it only held; what is proven to be worse stays paused', async () => {
  await rollOut();
  await untilHeld();
  await client.delete({ ...gatesRef, name: 'orders' });
  await eventually('its pause is off', 60, async () => {
    await gate.look(1);
    return (await orders()).spec?.paused === undefined || undefined;
  });
  await untilRolledOut();

  await createGate('orders', onOrders);
  await rollOut();
  await untilHeld();
  await gate.verdict('Failed');
  await untilAction('Paused Failed');
  await client.delete({ ...gatesRef, name: 'orders' });
  await gate.look(3);
  assert.equal((await orders()).spec?.paused, true);
  assert.equal(markOf(await orders())?.why, 'Failed');
});

test('a Rollout is aborted by its status once its very revision has Failed, and once only', async () => {
  const file = new URL('../fixtures/crds/rollouts.yaml', import.meta.url);
  await client.create(DEFINITIONS, parse(readFileSync(file, 'utf8')));
  const { apiVersion } = ROLLOUT;
  const object = { apiVersion, kind: 'Rollout', metadata: { name: 'basket' }, spec: { replicas: 4 } };
  const made = await eventually('the kind is served', 30, () =>
    client.create<{ metadata: { uid: string } }>(
      { apiVersion, plural: 'rollouts', namespace: NAMESPACE },
      object,
    ),
  );
  for (const hash of ['7d4b9c', '6f7c8d']) {
    const labels = { app: 'basket', team: 'shop', 'rollouts-pod-template-hash': hash };
    const owner = { apiVersion, kind: 'Rollout', name: 'basket', uid: made.metadata.uid, controller: true };
    await client.create(
      { apiVersion: 'apps/v1', plural: 'replicasets', namespace: NAMESPACE },
      {
        ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
        metadata: { name: `basket-${hash}`, labels, ownerReferences: [owner] },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: aTemplate(labels, `basket:${hash}`),
        },
      },
    );
    await untilRunning(NAMESPACE, labels, 1);
  }
  await patchStatus(ROLLOUT, { stableRS: '7d4b9c', currentPodHash: '6f7c8d', phase: 'Progressing' });
  await createGate('basket', {
    targetRef: { apiVersion, kind: 'Rollout', name: 'basket' },
    onFailed: 'Abort',
  });
  const basket = await actingGate(NAMESPACE, 'basket', ACCOUNT);
  const isAborted = async () =>
    (await client.get<{ status: { abort?: boolean } }>(ROLLOUT))?.status.abort === true;
  try {
    const { status } = await basket.untilSays('no', (each) => actionOf(each) === 'Refused NotPermitted');
    assert.match(
      status?.action?.message ?? '',
      /may not get rollouts.*config\/targets\/argo-rollouts-aborting/,
    );
    await grantTarget('argo-rollouts-aborting');
    basket.moveAhead(61_000);
    await basket.verdict('Failed');
    // Another revision by now: the verdict is about none that runs.
    await patchStatus(ROLLOUT, { currentPodHash: 'ffffff' });
    await basket.look(3);
    assert.equal(await isAborted(), false);
    await patchStatus(ROLLOUT, { currentPodHash: '6f7c8d' });
    const behind = await client.get<RegressionGate>({ ...gatesRef, name: 'basket' });
    await basket.untilSays('Aborted', (each) => actionOf(each) === 'Aborted Failed');
    assert.equal(await isAborted(), true);

    await patchStatus(ROLLOUT, { abort: false });
    await basket.lookBehind(behind ?? assert.fail('no gate'));
    assert.equal(await isAborted(), false);
    await basket.untilSays('Overruled', (each) => actionOf(each) === 'Overruled RetriedByOthers');
    assert.equal(await isAborted(), false);
  } finally {
    await basket.stop();
  }
});

test('what no kind of workload can do is refused when the gate is written', async () => {
  const refused = async (spec: object, field: string): Promise<void> => {
    await assert.rejects(createGate('refused', spec), (error: Error) =>
      error.message.includes(`spec.${field}`),
    );
  };
  const of = (kind: 'StatefulSet' | 'Rollout' | 'Canary' | 'Deployment') => ({
    targetRef: { apiVersion: TARGET_KINDS[kind].apiVersion, kind, name: 'orders' },
  });
  const arm = (track: string) => ({ podSelector: { matchLabels: { track } } });

  await refused({ ...of('Deployment'), onFailed: 'Abort' }, 'onFailed');
  await refused({ ...of('StatefulSet'), onFailed: 'Pause' }, 'onFailed');
  await refused({ ...of('Canary'), onFailed: 'Abort' }, 'onFailed');
  await refused({ ...of('Rollout'), mode: 'HoldRollout' }, 'mode');
  await refused({ baseline: arm('stable'), canary: arm('canary'), onFailed: 'Pause' }, 'onFailed');
  await createGate('allowed', { ...of('Rollout'), onFailed: 'Pause' });
  await setSpec(NAMESPACE, 'allowed', { onFailed: 'Abort' });
});
