import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import type { TargetObject } from '../cluster-view.ts';
import { FLAG_LINE } from '../profiling-policy/flag-variables.ts';
import { aDeployment, aPod, aReplicaSet, aView, START_MS } from '../regression-gate/testing/a-cluster.ts';
import { markOf, markText, type PauseMark } from './pause-mark.ts';
import { steeredObject } from './steered.ts';

const mark: PauseMark = { gate: 'orders', revision: 'bbb', since: '2026-01-01T12:00:00Z', why: 'Undecided' };
const OLD = aReplicaSet({ hash: 'aaa', revision: 1, image: 'orders:1' });
const NEW = aReplicaSet({ hash: 'bbb', revision: 2, image: 'orders:2' });
const podOf = (hash: string, name: string) =>
  aPod({ name, owner: `uid-orders-${hash}`, ownerKind: 'ReplicaSet' });

/** orders, with the template of its newest ReplicaSet. */
function orders(fields: Partial<NonNullable<V1Deployment['spec']>> = {}): V1Deployment {
  const { template } = NEW.spec ?? {};
  assert.ok(template);
  return { ...aDeployment(), spec: { selector: {}, template, ...fields } };
}

const withPods = (...hashes: readonly string[]) =>
  aView({ replicaSets: [OLD, NEW], pods: hashes.map((hash, index) => podOf(hash, `${hash}-${index}`)) });

test('a Deployment rolls out while pods of an older revision run', () => {
  const { revision, baseline, isRollingOut, isRollback, asksForAnother } = steeredObject(
    ...(['Deployment', orders(), withPods('aaa', 'bbb')] as const),
  );
  assert.deepEqual(
    { revision, baseline, isRollingOut, isRollback, asksForAnother },
    {
      ...{ revision: 'bbb', baseline: 'aaa', isRollingOut: true, isRollback: false, asksForAnother: false },
    },
  );
  assert.equal(steeredObject('Deployment', orders(), withPods('bbb')).isRollingOut, false);
});

test('a newest revision that is to have no pods is not being rolled out', () => {
  const none = { ...NEW, spec: { ...NEW.spec, selector: {}, replicas: 0 } };
  const view = aView({ replicaSets: [OLD, none], pods: [podOf('aaa', 'one')] });
  assert.equal(steeredObject('Deployment', orders(), view).isRollingOut, false);
});

test('a template without a ReplicaSet asks for another revision, unless it differs by our flags only', () => {
  const template = (image: string, value?: string) => ({
    metadata: { labels: { app: 'orders' } },
    spec: {
      containers: [{ name: 'app', image, ...(value && { env: [{ name: 'JAVA_TOOL_OPTIONS', value }] }) }],
    },
  });
  const asks = (image: string, value?: string): boolean =>
    steeredObject('Deployment', orders({ template: template(image, value) }), withPods('aaa', 'bbb'))
      .asksForAnother;

  assert.equal(asks('orders:2'), false);
  assert.equal(asks('orders:2', FLAG_LINE), false);
  assert.equal(asks('orders:3'), true);
});

test('a revision that is older than the one it replaces is a rollback', () => {
  const again = aReplicaSet({
    hash: 'bbb',
    revision: 2,
    image: 'orders:2',
    createdAtMs: START_MS - 86_400_000,
  });
  const view = aView({ replicaSets: [OLD, again], pods: [podOf('aaa', 'one'), podOf('bbb', 'two')] });
  assert.equal(steeredObject('Deployment', orders(), view).isRollback, true);
});

test('whose pause it is, is told by who owns the field', () => {
  const pausedBy = (...managers: readonly string[]) => {
    const { metadata } = aDeployment();
    const managedFields = managers.map((manager) => ({
      manager,
      fieldsV1: { 'f:spec': { 'f:paused': {} } },
    }));
    const annotations = { 'flamegate.dev/pause': markText(mark) };
    const object = { ...orders({ paused: true }), metadata: { ...metadata, managedFields, annotations } };
    const {
      isPaused,
      isPausedByUs,
      hasOtherOwner,
      mark: found,
    } = steeredObject('Deployment', object, withPods());
    assert.deepEqual([isPaused, found], [true, mark]);
    return { isPausedByUs, hasOtherOwner };
  };

  assert.deepEqual(pausedBy('flamegate-acting'), { isPausedByUs: true, hasOtherOwner: false });
  assert.deepEqual(pausedBy('kubectl-rollout'), { isPausedByUs: false, hasOtherOwner: true });
  assert.deepEqual(pausedBy('flamegate-acting', 'argocd'), { isPausedByUs: true, hasOtherOwner: true });
});

test('a Rollout rolls out while its newest revision is not the stable one', () => {
  const rollout = (status: TargetObject['status'], paused = false): TargetObject => ({
    ...{ kind: 'Rollout', metadata: { name: 'orders', namespace: 'shop', uid: 'u' } },
    ...{ spec: { paused }, ...(status && { status }) },
  });
  const seen = (object: TargetObject) => {
    const { revision, baseline, isRollingOut, isPaused, isAborted } = steeredObject(
      'Rollout',
      object,
      aView(),
    );
    return [revision, baseline, isRollingOut, isPaused, isAborted];
  };

  assert.deepEqual(seen(rollout({ stableRS: 'aaa', currentPodHash: 'bbb' }, true)), [
    'bbb',
    'aaa',
    true,
    true,
    false,
  ]);
  assert.deepEqual(seen(rollout({ stableRS: 'aaa', currentPodHash: 'aaa' })), [
    'aaa',
    'aaa',
    false,
    false,
    false,
  ]);
  assert.deepEqual(seen(rollout({ stableRS: 7, currentPodHash: 'bbb', abort: true })), [
    'bbb',
    '',
    false,
    false,
    true,
  ]);
  assert.deepEqual(seen(rollout(undefined)), ['', '', false, false, false]);
});

test('an annotation that is not as ours are says nothing', () => {
  const read = (text: string) => markOf({ metadata: { annotations: { 'flamegate.dev/pause': text } } });

  assert.deepEqual(read(markText(mark)), mark);
  for (const text of [
    ...['', 'true', 'null', '[]', '{"gate":1}', '{', `${markText(mark)}${' '.repeat(1_000)}`],
    JSON.stringify({ ...mark, why: 'Because' }),
    JSON.stringify({ ...mark, since: 'yesterday' }),
  ]) {
    assert.equal(read(text), undefined, text);
  }
});
