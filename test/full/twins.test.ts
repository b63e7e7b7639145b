/** samples/rollouts/twins.yaml with the real Argo Rollouts: a service of two replicas is judged by twins before any of them is replaced. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { type JudgedShop, judgedShop } from '../argo-rollouts/judged-shop.ts';

let shop: JudgedShop;

before(async () => {
  shop = await judgedShop(['replicaset-controller', 'job-controller']);
  for (const file of ['asker.yaml', 'twins.yaml']) await shop.applySample(file);
  await shop.untilRollout('is healthy for the first time', ({ phase }) => phase === 'Healthy');
});

after(() => shop.stop());

const imageOf = ({ spec }: V1Pod): string => spec?.containers[0]?.image ?? '';
const twinOf = ({ metadata }: V1Pod): string => metadata?.labels?.['twin'] ?? 'none';

test('twins of a slow revision abort the rollout before one of its replicas is replaced', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await shop.setImage('orders:slow');
  await shop.untilGate('compares', ({ verdict }) => verdict === 'Collecting');
  const twins = Map.groupBy(shop.pods(), twinOf);
  assert.deepEqual(
    ['baseline', 'canary', 'none'].map((twin) => [
      twins.get(twin)?.length,
      ...new Set(twins.get(twin)?.map(imageOf)),
    ]),
    [
      [3, 'orders:stable'],
      [3, 'orders:slow'],
      [2, 'orders:stable'],
    ],
  );
  const aborted = await shop.untilRollout('is aborted', ({ abort }) => abort === true);

  assert.equal(aborted.stableRS, stableRS);
  assert.equal((await shop.gate())?.status?.verdict, 'Failed');
  assert.deepEqual(
    shop
      .pods()
      .filter((pod) => twinOf(pod) === 'none')
      .map(imageOf),
    ['orders:stable', 'orders:stable'],
  );
});

test('twins of a good revision let the rollout go on', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await shop.setImage('orders:good');
  await shop.untilRollout(
    'has promoted the good revision',
    (status) => status.stableRS !== stableRS && status.phase === 'Healthy',
  );

  const [report] = [(await shop.gate())?.status];
  assert.equal(report?.verdict, 'Passed');
});
