import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Container, V1EnvVar, V1Pod } from '@kubernetes/client-node';
import type { AnyProfilingPolicy } from '../../crds/cluster-profiling-policy.ts';
import { FLAG_LINE, type FlagVariable, INJECT_ANNOTATION } from '../profiling-policy/flag-variables.ts';
import { aContainer, aPolicy, ours } from '../profiling-policy/testing/samples.ts';
import { injectionInto } from './inject-pod.ts';
import { answerReview, ReviewError } from './review.ts';

interface APod {
  readonly containers?: readonly V1Container[];
  readonly annotation?: string;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly labels?: Readonly<Record<string, string>>;
}

const OF_ORDERS: Readonly<Record<string, string>> = { app: 'orders', 'pod-template-hash': '5d4f' };

function aPod({ containers = [aContainer('app')], annotation, owner, labels = OF_ORDERS }: APod = {}): V1Pod {
  const { kind, name } = owner ?? { kind: 'ReplicaSet', name: 'orders-5d4f' };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      labels: { ...labels },
      ...(annotation === undefined ? {} : { annotations: { [INJECT_ANNOTATION]: annotation } }),
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true }],
    },
    spec: { containers: [...containers] },
  };
}

function aKnowingPolicy(
  variables: readonly FlagVariable[],
  workload = { kind: 'Deployment', name: 'orders' },
): AnyProfilingPolicy {
  const policy = aPolicy({ mode: 'OnPodCreation' });
  const injections = [{ ...workload, container: 'app', variables: [...variables] }];
  return { ...policy, status: { injections } };
}

/** `path name` of each operation. */
const given = (pod: V1Pod, policy: AnyProfilingPolicy, namespace = 'shop'): string =>
  injectionInto(pod, namespace, policy)
    .map(({ path, value }) => `${path} ${[value as V1EnvVar | V1EnvVar[]].flat().map(({ name }) => name)}`)
    .join('; ');

const [TOOL, JDK] = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'] as const;
const user = (name: string) => ({ name, value: '-Xmx1g' });

test('a known container gets the flags in the first variable that it leaves free, and nobody else', () => {
  const policy = aKnowingPolicy([TOOL, JDK]);
  const withEnv = (...env: V1EnvVar[]) => aPod({ containers: [aContainer('app', env)] });

  assert.deepEqual(injectionInto(aPod({ containers: [{ name: 'app' }] }), 'shop', policy), [
    { op: 'add', path: '/spec/containers/0/env', value: [{ name: TOOL, value: FLAG_LINE }] },
  ]);
  assert.equal(given(withEnv(user('LOG')), policy), `/spec/containers/0/env/- ${TOOL}`);
  assert.equal(given(withEnv(user(TOOL)), policy), `/spec/containers/0/env/- ${JDK}`);
  assert.equal(given(withEnv(user(TOOL), user(JDK)), policy), '');
  assert.equal(given(withEnv(ours(JDK)), policy), '');
  assert.equal(given(aPod({ containers: [{ name: 'app', envFrom: [{}] }] }), policy), '');
  const beside = aPod({ containers: [{ name: 'side' }, { name: 'app' }] });
  assert.equal(given(beside, policy), `/spec/containers/1/env ${TOOL}`);
});

test('a variable that the image sets, or that is not known to be free, is not given', () => {
  assert.equal(given(aPod(), aKnowingPolicy([JDK])), `/spec/containers/0/env/- ${JDK}`);
  assert.equal(given(aPod(), aKnowingPolicy([])), '');
});

test('pods are known by the workload that their controller is named after', () => {
  const pod = (kind: string, name: string, labels = OF_ORDERS) => aPod({ owner: { kind, name }, labels });
  const rollout = { app: 'orders', 'rollouts-pod-template-hash': '5d4f' };
  const all = [TOOL] as const;

  assert.equal(given(pod('ReplicaSet', 'basket-5d4f'), aKnowingPolicy(all)), '');
  assert.notEqual(
    given(
      pod('ReplicaSet', 'orders-5d4f', rollout),
      aKnowingPolicy(all, { kind: 'Rollout', name: 'orders' }),
    ),
    '',
  );
  assert.equal(given(pod('ReplicaSet', 'orders-5d4f', rollout), aKnowingPolicy(all)), '');
  const set = { kind: 'StatefulSet', name: 'ledger' };
  assert.notEqual(given(pod('StatefulSet', 'ledger'), aKnowingPolicy(all, set)), '');
  assert.equal(given({ ...aPod(), metadata: { labels: OF_ORDERS } }, aKnowingPolicy(all)), '');
});

test('the annotation leaves a pod alone, or gives the flags where nothing is known', () => {
  const unknown = { ...aPolicy({ mode: 'OnPodCreation' }), status: {} };
  const both = [aContainer('app'), aContainer('istio-proxy')];

  assert.equal(given(aPod({ annotation: 'false' }), aKnowingPolicy([TOOL])), '');
  assert.equal(given(aPod({ containers: both }), unknown), '');
  const asked = aPod({ annotation: 'true', containers: both });
  assert.equal(given(asked, unknown), `/spec/containers/0/env/- ${TOOL}`);
  assert.equal(given(asked, aKnowingPolicy([])), '');
});

test('only mode OnPodCreation gives anything, and a policy of the cluster only in the namespace it says', () => {
  const policy = aKnowingPolicy([TOOL]);
  const never = { ...policy, spec: aPolicy().spec } as AnyProfilingPolicy;
  assert.equal(given(aPod(), never), '');

  const { namespace: _, ...metadata } = policy.metadata;
  const injections = [
    { namespace: 'shop', kind: 'Deployment', name: 'orders', container: 'app', variables: [TOOL] },
  ];
  const ofCluster = { ...policy, metadata, status: { injections } } as AnyProfilingPolicy;
  assert.notEqual(given(aPod(), ofCluster, 'shop'), '');
  assert.equal(given(aPod(), ofCluster, 'other'), '');
});

test('a review is answered by the policy that counts, and always allows', () => {
  const view = (policies: readonly AnyProfilingPolicy[]) => ({
    policies: () => policies.filter((policy) => 'namespace' in policy.metadata) as never[],
    clusterPolicies: () => [],
    namespaceLabels: () => ({}),
  });
  const review = { request: { uid: 'r-1', namespace: 'shop', object: aPod() } };

  const { response } = answerReview(review, view([aKnowingPolicy([TOOL])]));
  assert.deepEqual([response.uid, response.allowed, response.patchType], ['r-1', true, 'JSONPatch']);
  assert.match(Buffer.from(response.patch ?? '', 'base64').toString(), /DebugNonSafepoints/);
  const older = { ...aPolicy(), metadata: { ...aPolicy().metadata, uid: 'p-0', name: 'a' } };
  const overruled = answerReview(review, view([aKnowingPolicy([TOOL]), older]));
  assert.deepEqual(overruled.response, { uid: 'r-1', allowed: true });
});

test('what is no review of a pod is refused', () => {
  const view = { policies: () => [], clusterPolicies: () => [], namespaceLabels: () => ({}) };
  const request = { uid: 'r-1', namespace: 'shop' };

  for (const review of [
    ...[undefined, null, [], 'text', {}, { request: null }, { request: { ...request, object: null } }],
    { request: { ...request, object: { kind: 'Node', spec: { containers: [] } } } },
    { request: { ...request, object: { kind: 'Pod', spec: { containers: 'none' } } } },
    { request: { uid: 1, namespace: 'shop', object: aPod() } },
  ]) {
    assert.throws(() => answerReview(review, view), ReviewError);
  }
});
