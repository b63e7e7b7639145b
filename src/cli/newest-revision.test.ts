import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeClient } from '../kube/client.ts';
import { newestRevision, type WorkloadName } from './newest-revision.ts';

const owned = (revision: string, hash: string, uid = 'u') => ({
  metadata: {
    ...{ annotations: { 'deployment.kubernetes.io/revision': revision }, ownerReferences: [{ uid }] },
    labels: { 'pod-template-hash': hash },
  },
});

function revisionOf(
  kind: WorkloadName['kind'],
  generation: number,
  status: object,
): Promise<string | undefined> {
  const items = [owned('9', 'nine'), owned('10', 'ten'), owned('11', 'of-another', 'v')];
  const client = {
    get: async () => ({ metadata: { uid: 'u', generation }, status }),
    request: async () => ({ items }),
  } as unknown as KubeClient; // as much of it as is asked
  return newestRevision(client, 'shop', { kind, name: 'orders' });
}

test('each kind says what it rolls out in its own way', async () => {
  assert.equal(await revisionOf('Rollout', 2, { observedGeneration: '2', currentPodHash: 'bbb' }), 'bbb');
  assert.equal(await revisionOf('StatefulSet', 2, { observedGeneration: 2, updateRevision: 'o-2' }), 'o-2');
  assert.equal(await revisionOf('Deployment', 2, { observedGeneration: 2 }), 'ten');
});

test('what a controller says before it has seen the newest template is of the one before', async () => {
  assert.equal(await revisionOf('Rollout', 3, { observedGeneration: '2', currentPodHash: 'old' }), undefined);
  assert.equal(await revisionOf('StatefulSet', 1, { updateRevision: 'old' }), undefined);
  assert.equal(await revisionOf('Deployment', 3, { observedGeneration: 2 }), undefined);
});
