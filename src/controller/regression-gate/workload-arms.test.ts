import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { type OptionalTargetKind, TARGET_KINDS } from '../../crds/target-kinds.ts';
import type { KnownTargets } from '../cluster-view.ts';
import { type Arms, findArms, podsUnderGate } from './arms.ts';
import {
  aDeployment,
  aDeploymentGate,
  aPod,
  aReplicaSet,
  aReport,
  aView,
  type Cluster,
  NAMESPACE,
} from './testing/a-cluster.ts';
import { sideText } from './testing/side-text.ts';

function aGateOn(kind: OptionalTargetKind): RegressionGate {
  const gate = aDeploymentGate();
  const targetRef = { apiVersion: TARGET_KINDS[kind].apiVersion, kind, name: 'orders' };
  return { ...gate, spec: { ...gate.spec, targetRef } };
}

const read = (kind: OptionalTargetKind, fields: object): Cluster['targets'] => ({
  [kind]: {
    state: 'Read',
    objects: [{ kind, metadata: { name: 'orders', namespace: NAMESPACE, uid: 'uid-orders' }, ...fields }],
  },
});

/** `baseline hash: pods | canary hash: pods`, or the reason there is no pair, with what stands. */
function asText(arms: Arms): string {
  switch (arms.kind) {
    case 'Pair':
      return `${sideText(arms.baseline)} | ${sideText(arms.canary)}`;
    case 'BaselineGone':
      return `gone ${arms.baselineHash} | ${sideText(arms.canary)}`;
    case 'NoPair':
      return arms.baseline === undefined ? arms.reason : `${arms.reason}, ${sideText(arms.baseline)}`;
    case 'TargetNotFound':
      return `${arms.isForbidden === true ? 'NotPermitted' : arms.kind}: ${arms.message}`;
  }
}

const armsOf = (kind: OptionalTargetKind, cluster: Partial<Cluster>): string =>
  asText(findArms(aGateOn(kind), aView(cluster)));

const ofSet = (hash: string, name = `pod-${hash}`) =>
  aPod({ name, owner: 'uid-orders', labels: { 'controller-revision-hash': hash } });
const aStatefulSet = (currentRevision: string, updateRevision: string) =>
  read('StatefulSet', { status: { currentRevision, updateRevision } });

test('of a StatefulSet that rolls the pods of the update revision are on trial', () => {
  const pods = [ofSet('o-1', 'orders-0'), ofSet('o-1', 'orders-1'), ofSet('o-2', 'orders-2')];
  const foreign = aPod({ name: 'x', labels: { 'controller-revision-hash': 'o-2' } });
  const targets = aStatefulSet('o-1', 'o-2');

  assert.equal(
    armsOf('StatefulSet', { targets, pods: [...pods, foreign] }),
    'o-1: orders-0 orders-1 | o-2: orders-2',
  );
  assert.equal(armsOf('StatefulSet', { targets, pods: [ofSet('o-1')] }), 'NoCanaryPods, o-1: pod-o-1');
  assert.equal(armsOf('StatefulSet', { targets, pods: [ofSet('o-2')] }), 'gone o-1 | o-2: pod-o-2');
  assert.deepEqual(podsUnderGate(aGateOn('StatefulSet'), aView({ targets, pods: [...pods, foreign] })), pods);
});

test('a StatefulSet whose pods are replaced when deleted has the others for a baseline', () => {
  const targets = aStatefulSet('o-1', 'o-3');
  const pods = [ofSet('o-2', 'a'), ofSet('o-2', 'b'), ofSet('o-3', 'c')];

  assert.equal(armsOf('StatefulSet', { targets, pods }), 'o-2: a b | o-3: c');
});

test('a StatefulSet of one revision stands, and after a rollout its gate remembers what was before', () => {
  const targets = aStatefulSet('o-2', 'o-2');
  const pods = [ofSet('o-2')];
  const reports = [aReport({ baselineHash: 'o-1', canaryHash: 'o-2' })];

  assert.equal(armsOf('StatefulSet', { targets, pods }), 'NoCanaryPods, o-2: pod-o-2');
  assert.equal(armsOf('StatefulSet', { targets, pods, reports }), 'gone o-1 | o-2: pod-o-2');
  const later = aReport({ attempt: 2, baselineHash: 'o-2', canaryHash: 'o-3' });
  assert.equal(
    armsOf('StatefulSet', { targets, pods, reports: [...reports, later] }),
    'NoCanaryPods, o-2: pod-o-2',
    'the later one was rolled back',
  );
  assert.equal(armsOf('StatefulSet', { targets: read('StatefulSet', {}), pods: [] }), 'NoCanaryPods');
});

const setOfRollout = (hash: string) => {
  const set = aReplicaSet({ hash: 'unused', revision: 1 });
  const labels = { 'rollouts-pod-template-hash': hash };
  return { ...set, metadata: { ...set.metadata, name: `orders-${hash}`, uid: `set-${hash}`, labels } };
};
const ofRollout = (hash: string) =>
  aPod({ name: `pod-${hash}`, owner: `set-${hash}`, labels: { 'rollouts-pod-template-hash': hash } });
const aRollout = (stableRS: string, currentPodHash: string) =>
  read('Rollout', { status: { stableRS, currentPodHash } });

test('of an Argo Rollout the pods of the current hash are on trial against the stable ones', () => {
  const replicaSets = [setOfRollout('aaa'), setOfRollout('bbb')];
  const stranger = aPod({
    name: 'x',
    owner: 'set-of-another',
    labels: { 'rollouts-pod-template-hash': 'bbb' },
  });
  const pods = [ofRollout('aaa'), ofRollout('bbb'), stranger];
  const targets = aRollout('aaa', 'bbb');

  assert.equal(armsOf('Rollout', { targets, replicaSets, pods }), 'aaa: pod-aaa | bbb: pod-bbb');
  assert.equal(
    armsOf('Rollout', { targets, replicaSets, pods: [ofRollout('aaa')] }),
    'NoCanaryPods, aaa: pod-aaa',
    'aborted: its pods are gone',
  );
  assert.equal(
    armsOf('Rollout', { targets: aRollout('aaa', 'aaa'), replicaSets, pods }),
    'NoCanaryPods, aaa: pod-aaa',
  );
  assert.equal(armsOf('Rollout', { targets: aRollout('', 'aaa'), replicaSets, pods }), 'NoCanaryPods');
  assert.deepEqual(
    podsUnderGate(aGateOn('Rollout'), aView({ targets, replicaSets, pods })).map((pod) => pod.metadata?.name),
    ['pod-aaa', 'pod-bbb'],
  );
});

test('a Rollout that was promoted while its gate compares is judged by the windows there are', () => {
  const cluster = {
    targets: aRollout('bbb', 'bbb'),
    replicaSets: [setOfRollout('bbb')],
    reports: [aReport()],
  };

  assert.equal(armsOf('Rollout', { ...cluster, pods: [ofRollout('bbb')] }), 'gone aaa | bbb: pod-bbb');
  const decided = [aReport({ status: { verdict: 'Failed' } })];
  assert.equal(
    armsOf('Rollout', { ...cluster, reports: decided, pods: [ofRollout('bbb')] }),
    'gone aaa | bbb: pod-bbb',
    'it is still what runs',
  );
  assert.equal(armsOf('Rollout', { ...cluster, reports: decided, pods: [] }), 'NoCanaryPods');
});

const aCanary = (phase: string, kind = 'Deployment') =>
  read('Canary', { spec: { targetRef: { kind, name: 'orders' } }, status: { phase } });
const OF_FLAGGER = {
  deployments: [aDeployment('orders'), aDeployment('orders-primary')],
  replicaSets: [
    aReplicaSet({ hash: 'old', revision: 1, image: 'orders:1' }),
    aReplicaSet({ hash: 'new', revision: 2, image: 'orders:2' }),
    aReplicaSet({ deployment: 'orders-primary', hash: 'p1', revision: 1 }),
  ],
};
const primaryPod = aPod({ name: 'primary', owner: 'uid-orders-primary-p1' });
const canaryPod = aPod({ name: 'canary', owner: 'uid-orders-new' });

test('of a Flagger Canary the target is on trial against its primary, in the phases of an analysis', () => {
  const pods = [primaryPod, canaryPod];
  for (const phase of ['Progressing', 'Waiting', 'WaitingPromotion']) {
    assert.equal(
      armsOf('Canary', { ...OF_FLAGGER, targets: aCanary(phase), pods }),
      'p1: primary | new: canary',
    );
  }
  for (const phase of ['', 'Initialized', 'Promoting', 'Finalising', 'Succeeded', 'Failed']) {
    assert.equal(
      armsOf('Canary', { ...OF_FLAGGER, targets: aCanary(phase), pods }),
      'NoCanaryPods, p1: primary',
    );
  }
  assert.deepEqual(
    podsUnderGate(aGateOn('Canary'), aView({ ...OF_FLAGGER, targets: aCanary(''), pods })),
    pods,
  );
});

test('a primary that gets what was on trial is no new baseline', () => {
  const promoted = aReplicaSet({ deployment: 'orders-primary', hash: 'p2', revision: 2, image: 'orders:2' });
  const pods = [canaryPod, aPod({ name: 'promoted', owner: 'uid-orders-primary-p2' })];
  const reports = [aReport({ baselineHash: 'p1', canaryHash: 'new' })];
  const cluster = { ...OF_FLAGGER, replicaSets: [...OF_FLAGGER.replicaSets, promoted], reports };

  assert.equal(
    armsOf('Canary', { ...cluster, targets: aCanary('Promoting'), pods }),
    'gone p1 | new: canary',
  );
  const scaledDown = { ...cluster, targets: aCanary('Succeeded'), pods: pods.slice(1) };
  assert.equal(armsOf('Canary', scaledDown), 'gone p1 | new: ', 'what is open is decided by its windows');
  const decided = [aReport({ baselineHash: 'p1', canaryHash: 'new', status: { verdict: 'Passed' } })];
  assert.equal(armsOf('Canary', { ...scaledDown, reports: decided }), 'NoCanaryPods, p2: promoted');
});

test('a Canary of something else than a Deployment, and one that Flagger has not set up, have no sides', () => {
  assert.equal(
    armsOf('Canary', { targets: aCanary('Progressing', 'DaemonSet') }),
    'TargetNotFound: Canary orders is about a DaemonSet: only those of Deployments can be compared',
  );
  assert.equal(armsOf('Canary', { targets: aCanary('Progressing') }), 'NoCanaryPods');
});

test('a kind that is not served, or that may not be read, is said to be so', () => {
  const of = (state: KnownTargets['state']) =>
    armsOf('Rollout', { targets: { Rollout: { state, objects: [] } } });

  assert.equal(of('Unread'), 'NoCanaryPods');
  assert.equal(of('NotServed'), 'TargetNotFound: the cluster does not serve rollouts.argoproj.io');
  assert.equal(
    of('NotPermitted'),
    'NotPermitted: the controller may not list rollouts.argoproj.io: apply config/targets/argo-rollouts',
  );
  assert.equal(of('Read'), 'TargetNotFound: no Rollout orders in namespace shop');
});
