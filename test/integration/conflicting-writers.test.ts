/** Who else writes a gate's status on a real API server: a leader that was overtaken, and somebody who has no business there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { writeStatus } from '../../src/kube/status.ts';
import { eventually } from '../cluster/cluster.ts';
import { client, gateNow, gatePath, gates, reconciled, view } from './support/one-gate.ts';

const target = { ...gates, name: 'orders-cpu', kind: 'RegressionGate' } as const;

test('a status that was decided from an older object is refused, and one from the newest is written', async () => {
  await eventually('the caches are filled', 120, () => (view.synced() ? true : undefined));
  const seenBefore = await gateNow();
  const { status: written } = await reconciled();
  const { resourceVersion } = seenBefore.metadata;
  const stale = { ...written, summary: 'what an overtaken leader believes' };

  await assert.rejects(
    writeStatus(client, { ...target, resourceVersion }, { before: {}, after: stale }, 'flamegate'),
    (error) => isKubeError(error, 'KUBE_CONFLICT') && error.status === 409,
  );
  const now = await gateNow();
  assert.deepEqual(now.status, written);
  const fresh = { ...target, resourceVersion: now.metadata.resourceVersion };
  assert.equal(await writeStatus(client, fresh, { before: {}, after: stale }, 'flamegate'), true);
});

test('a verdict that somebody else wrote into the status is gone at the next look', async () => {
  await reconciled();
  const forged = { status: { verdict: 'Passed', summary: 'all is well' } };

  await client.request<RegressionGate>(
    'PATCH',
    `${gatePath}/status?fieldManager=somebody`,
    forged,
    'application/merge-patch+json',
  );
  const { status } = await reconciled();

  assert.equal(status?.verdict, 'Waiting');
  assert.match(status.summary ?? '', /^no running pod /);
});
