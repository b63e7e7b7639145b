import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1DaemonSet, V1PodTemplate } from '@kubernetes/client-node';
import { type AgentsObserved, daemonSetOf, planDaemonSet } from './plan-daemon-set.ts';

const template: V1PodTemplate = {
  metadata: { name: 'flamegate-agent', namespace: 'flamegate-agents', uid: 't-1', resourceVersion: '7' },
  template: {
    metadata: { labels: { team: 'platform', 'app.kubernetes.io/component': 'renamed' } },
    spec: { containers: [{ name: 'agent', image: 'example/agent:1' }] },
  },
};
const made = (): V1DaemonSet => {
  const daemonSet = daemonSetOf(template, 'sa-1');
  return { ...daemonSet, metadata: { ...daemonSet.metadata, generation: 1 } };
};
const plan = (observed: Partial<AgentsObserved>) =>
  planDaemonSet({ policiesInForce: 1, template, daemonSet: undefined, writtenGeneration: 1, ...observed });

test('without policies there are no agents, and ours are removed', () => {
  assert.equal(plan({ policiesInForce: 0 }), 'nothing');
  assert.equal(plan({ policiesInForce: 0, daemonSet: made() }), 'delete');
});

test('a DaemonSet of that name that is not ours is never deleted', () => {
  assert.equal(plan({ policiesInForce: 0, daemonSet: { metadata: { name: 'flamegate-agent' } } }), 'nothing');
});

test('without a template there is nothing to make agents from', () => {
  assert.equal(plan({ template: undefined }), 'nothing');
});

test('a missing DaemonSet, an edited template and an edited DaemonSet are put right', () => {
  const edited = { ...template, metadata: { ...template.metadata, resourceVersion: '8' } };
  const touched = { ...made(), metadata: { ...made().metadata, generation: 2 } };

  assert.equal(plan({}), 'apply');
  assert.equal(plan({ daemonSet: made(), template: edited }), 'apply');
  assert.equal(plan({ daemonSet: touched }), 'apply');
});

test('a DaemonSet that is as it should be is left alone', () => {
  assert.equal(plan({ daemonSet: made() }), 'nothing');
});

test('the DaemonSet is owned by the ServiceAccount beside it and selects its pods whatever the template says', () => {
  const { metadata, spec } = daemonSetOf(template, 'sa-1');

  assert.equal(metadata?.namespace, 'flamegate-agents');
  assert.deepEqual(
    metadata.ownerReferences?.map(({ kind, uid }) => `${kind} ${uid}`),
    ['ServiceAccount sa-1'],
  );
  assert.deepEqual(spec?.template.metadata?.labels, {
    team: 'platform',
    'app.kubernetes.io/name': 'flamegate',
    'app.kubernetes.io/component': 'agent',
  });
});
