import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG_LINE } from '../profiling-policy/flag-variables.ts';
import { type Arms, findArms, standingArm } from './arms.ts';
import {
  aDeployment,
  aDeploymentGate,
  aGate,
  aPod,
  aReplicaSet,
  aView,
  type Cluster,
  type PodFields,
} from './testing/a-cluster.ts';
import { sideText } from './testing/side-text.ts';

const stable = (fields: PodFields = {}) =>
  aPod({
    name: 'stable-1',
    labels: { app: 'orders', track: 'stable', 'pod-template-hash': 'aaa' },
    ...fields,
  });
const canary = (fields: PodFields = {}) =>
  aPod({
    name: 'canary-1',
    labels: { app: 'orders', track: 'canary', 'pod-template-hash': 'bbb' },
    ...fields,
  });

/** `baseline hash: pods | canary hash: pods`, or the reason there is no pair. */
function asText(arms: Arms): string {
  switch (arms.kind) {
    case 'Pair':
      return `${sideText(arms.baseline)} | ${sideText(arms.canary)}`;
    case 'BaselineGone':
      return `gone ${arms.baselineHash} | ${sideText(arms.canary)}`;
    case 'NoPair':
      return arms.reason;
    case 'TargetNotFound':
      return arms.kind;
  }
}

const bySelectors = (...pods: ReturnType<typeof aPod>[]): string =>
  asText(findArms(aGate(), aView({ pods })));

const byDeployment = (cluster: Partial<Cluster>): string =>
  asText(findArms(aDeploymentGate(), aView({ deployments: [aDeployment()], ...cluster })));

test('two selectors name the arms by the template hashes of their running pods', () => {
  assert.equal(
    bySelectors(canary(), stable(), stable({ name: 'stable-2' })),
    'aaa: stable-1 stable-2 | bbb: canary-1',
  );
});

test('pods that have not begun, have ended or are going do not count', () => {
  assert.equal(bySelectors(stable(), canary({ phase: 'Pending' })), 'NoCanaryPods');
  assert.equal(bySelectors(stable({ terminating: true }), canary()), 'NoBaselinePods');
  assert.equal(bySelectors(), 'NoBaselinePods');
});

test('selectors that share a pod are no comparison', () => {
  const both = aGate({ spec: { canary: { podSelector: { matchLabels: { app: 'orders' } } } } });

  assert.equal(asText(findArms(both, aView({ pods: [stable(), canary()] }))), 'SameRevision');
});

test('pods without a template hash are named by their images', () => {
  const labels = (track: string) => ({ app: 'orders', track });
  const of = (image: string) =>
    bySelectors(stable({ labels: labels('stable') }), canary({ labels: labels('canary'), image })).split(
      ' | ',
    )[1];

  assert.notEqual(of('orders:1'), of('orders:2'));
  assert.equal(of('orders:2'), of('orders:2'));
});

test('while a Deployment behind a selector rolls, only its incoming pods are on trial', () => {
  const view = aView({
    deployments: [aDeployment()],
    replicaSets: [
      aReplicaSet({ hash: 'bbb', revision: 1 }),
      aReplicaSet({ hash: 'ccc', revision: 2, image: 'orders:2' }),
    ],
    pods: [
      stable(),
      canary({ name: 'going', owner: 'uid-orders-bbb' }),
      canary({ name: 'coming', owner: 'uid-orders-ccc' }),
    ],
  });

  assert.equal(asText(findArms(aGate(), view)), 'aaa: stable-1 | ccc: coming');
});

test('a Deployment is compared newest against previous ReplicaSet', () => {
  const replicaSets = [
    aReplicaSet({ hash: 'one', revision: 1, image: 'orders:1' }),
    aReplicaSet({ hash: 'three', revision: 3, image: 'orders:3' }),
    aReplicaSet({ hash: 'two', revision: 2, image: 'orders:2' }),
  ];
  const old = aPod({ name: 'old', owner: 'uid-orders-two' });
  const oldest = aPod({ name: 'oldest', owner: 'uid-orders-one' });
  const fresh = aPod({ name: 'fresh', owner: 'uid-orders-three' });

  assert.equal(byDeployment({ replicaSets, pods: [old, fresh] }), 'two: old | three: fresh');
  assert.equal(byDeployment({ replicaSets, pods: [oldest, fresh] }), 'one: oldest | three: fresh');
  assert.equal(byDeployment({ replicaSets, pods: [old] }), 'NoCanaryPods');
  assert.equal(byDeployment({ replicaSets, pods: [fresh] }), 'gone two | three: fresh');
});

test('a Deployment that is missing, or has had one revision only, has no pair', () => {
  assert.equal(asText(findArms(aDeploymentGate(), aView())), 'TargetNotFound');
  assert.equal(
    byDeployment({
      replicaSets: [aReplicaSet({ hash: 'one', revision: 1 })],
      pods: [aPod({ owner: 'uid-orders-one' })],
    }),
    'NoCanaryPods',
  );
});

test('a template change that is only our injected flags is no rollout', () => {
  const plain = aReplicaSet({ hash: 'one', revision: 1, env: { LOG: 'info' } });
  const withFlags = (variable: string) =>
    aReplicaSet({ hash: 'two', revision: 2, env: { LOG: 'info', [variable]: FLAG_LINE } });
  const pods = [
    aPod({ name: 'old', owner: 'uid-orders-one' }),
    aPod({ name: 'flagged', owner: 'uid-orders-two' }),
  ];

  for (const variable of ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS']) {
    assert.equal(byDeployment({ replicaSets: [plain, withFlags(variable)], pods }), 'NoCanaryPods');
  }
  const byUser = aReplicaSet({ hash: 'two', revision: 2, env: { LOG: 'info', JAVA_TOOL_OPTIONS: '-Xmx1g' } });
  assert.equal(byDeployment({ replicaSets: [plain, byUser], pods }), 'one: old | two: flagged');
});

test('a revision keeps its hash when our flags enter it later', () => {
  const replicaSets = [
    aReplicaSet({ hash: 'one', revision: 1, image: 'orders:1' }),
    aReplicaSet({ hash: 'two', revision: 2, image: 'orders:2' }),
    aReplicaSet({ hash: 'two-flags', revision: 3, image: 'orders:2', env: { JAVA_TOOL_OPTIONS: FLAG_LINE } }),
  ];
  const pods = [
    aPod({ name: 'old', owner: 'uid-orders-one' }),
    aPod({ name: 'canary-a', owner: 'uid-orders-two' }),
    aPod({ name: 'canary-b', owner: 'uid-orders-two-flags' }),
  ];

  assert.equal(byDeployment({ replicaSets, pods }), 'one: old | two: canary-a canary-b');
});

test('between rollouts there are pods that the next canary will be compared with', () => {
  const standing = (gate: Parameters<typeof findArms>[0], cluster: Partial<Cluster>): string => {
    const arm = standingArm(findArms(gate, aView({ deployments: [aDeployment()], ...cluster })));
    return arm === undefined
      ? 'none'
      : `${arm.hash}: ${arm.pods.map(({ metadata }) => metadata?.name).join(' ')}`;
  };
  const one = aReplicaSet({ hash: 'one', revision: 1, image: 'orders:1' });
  const two = aReplicaSet({ hash: 'two', revision: 2, image: 'orders:2' });
  const old = aPod({ name: 'old', owner: 'uid-orders-one' });
  const fresh = aPod({ name: 'fresh', owner: 'uid-orders-two' });

  assert.equal(standing(aDeploymentGate(), { replicaSets: [one], pods: [old] }), 'one: old');
  assert.equal(standing(aDeploymentGate(), { replicaSets: [one, two], pods: [old] }), 'one: old');
  assert.equal(standing(aDeploymentGate(), { replicaSets: [one, two], pods: [fresh] }), 'two: fresh');
  assert.equal(standing(aDeploymentGate(), { replicaSets: [one, two], pods: [old, fresh] }), 'one: old');
  assert.equal(standing(aGate(), { pods: [stable()] }), 'aaa: stable-1');
  assert.equal(standing(aGate(), { pods: [canary()] }), 'none');
});
