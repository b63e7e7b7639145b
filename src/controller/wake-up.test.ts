/** Which policies are looked at again after an object changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '@kubernetes/client-node';
import {
  aClusterPolicy,
  aDeploymentGate,
  aPod,
  aPolicy,
  aView,
  type Cluster,
  metadata,
} from './regression-gate/testing/a-cluster.ts';
import { wakeUps } from './wake-up.ts';

const TEAM_A = [{ name: 'shop', labels: { team: 'a' } }];
const policiesWoken = (object: unknown, cluster: Partial<Cluster>): readonly string[] =>
  wakeUps(object as KubernetesObject, {
    view: aView({ namespaces: TEAM_A, ...cluster }),
    agentsNamespace: 'flamegate-agents',
  })
    .filter(({ resource }) => resource.kind.endsWith('ProfilingPolicy'))
    .map(({ key }) => key)
    .sort();

const one = aPolicy({ name: 'one' });
const two = aPolicy({ name: 'two' });
const wide = aClusterPolicy({ name: 'wide' });
const elsewhere = aClusterPolicy({
  name: 'elsewhere',
  spec: { namespaceSelector: { matchLabels: { team: 'b' } } },
});
const known = { policies: [one, two], clusterPolicies: [wide, elsewhere] };
const settled = <Policy extends { readonly metadata: { readonly generation: number } }>(policy: Policy) => ({
  ...policy,
  status: { observedGeneration: policy.metadata.generation },
});

test('a new or changed policy wakes the others that may select the same pods, one whose status changes only itself', () => {
  assert.deepEqual(policiesWoken(one, known), ['shop/one', 'shop/one', 'shop/two', 'wide']);
  assert.deepEqual(policiesWoken(settled(one), known), ['shop/one']);
  assert.deepEqual(policiesWoken(settled(wide), known), ['wide']);
});

test('a policy that goes wakes those that take over, whether it was being deleted before or is gone at once', () => {
  const going = { ...settled(one), metadata: { ...one.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };

  assert.deepEqual(policiesWoken(going, known), ['shop/one', 'shop/one', 'shop/two', 'wide']);
  assert.deepEqual(policiesWoken(settled(one), { ...known, policies: [two] }), [
    'shop/one',
    'shop/two',
    'wide',
  ]);
  assert.deepEqual(policiesWoken(settled(wide), { ...known, clusterPolicies: [] }), [
    ...['shop/one', 'shop/two', 'wide'],
  ]);
});

test('a pod wakes the policies of its namespace, and of the cluster’s those that select it there', () => {
  assert.deepEqual(policiesWoken({ kind: 'Pod', ...aPod() }, known), ['shop/one', 'shop/two', 'wide']);
  assert.deepEqual(policiesWoken({ kind: 'Pod', ...aPod({ labels: { app: 'web' } }) }, known), [
    ...['shop/one', 'shop/two'],
  ]);
});

test('a namespace whose labels may have changed wakes all policies of the cluster, and its own', () => {
  const namespace = { kind: 'Namespace', metadata: { name: 'shop' } };

  assert.deepEqual(policiesWoken(namespace, known), ['elsewhere', 'shop/one', 'shop/two', 'wide']);
});

test('a target of another kind than Deployment wakes the gates that are about it, and its kind all that are about one', () => {
  const gateOn = (kind: 'Rollout' | 'StatefulSet', name: string) => {
    const gate = aDeploymentGate({ metadata: metadata(`of-${name}`) });
    return { ...gate, spec: { ...gate.spec, targetRef: { apiVersion: 'apps/v1' as const, kind, name } } };
  };
  const gates = [gateOn('Rollout', 'orders'), gateOn('Rollout', 'basket'), gateOn('StatefulSet', 'ledger')];
  const woken = (object: KubernetesObject) =>
    wakeUps(object, { view: aView({ gates }), agentsNamespace: 'flamegate-agents' }).map(({ key }) => key);

  assert.deepEqual(woken({ kind: 'Rollout', metadata: { name: 'orders', namespace: 'shop' } }), [
    'shop/of-orders',
  ]);
  assert.deepEqual(woken({ kind: 'Rollout', metadata: { name: 'orders', namespace: 'elsewhere' } }), []);
  assert.deepEqual(woken({ kind: 'Rollout' }), ['shop/of-orders', 'shop/of-basket']);
  assert.deepEqual(woken({ kind: 'StatefulSet' }), ['shop/of-ledger']);
});
