/** samples/rollouts/hold.yaml with Kubernetes' own controller of Deployments: the slow revision stays held, the good one goes on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { V1Deployment } from '@kubernetes/client-node';
import { type JudgedShop, judgedShop } from '../argo-rollouts/judged-shop.ts';
import { SHOP } from '../bare/cluster.ts';
import { eventually } from '../cluster/cluster.ts';

const ORDERS = { apiVersion: 'apps/v1', plural: 'deployments', namespace: SHOP, name: 'orders' };
const REPLICAS = 10;
let shop: JudgedShop;

before(async () => {
  shop = await judgedShop(['deployment-controller', 'replicaset-controller']);
  await shop.applySample('hold.yaml');
  await untilOnly('orders:stable');
});

after(() => shop.stop());

const podsOf = (image: string): number =>
  shop.pods().filter(({ spec }) => spec?.containers[0]?.image === image).length;

const untilOnly = (image: string): Promise<true> =>
  eventually(`all pods are of ${image}`, 300, () =>
    podsOf(image) === REPLICAS && shop.pods().length === REPLICAS ? true : undefined,
  );

const orders = async (): Promise<V1Deployment> =>
  (await shop.client.get<V1Deployment>(ORDERS)) ?? assert.fail('no Deployment');

test('a slow revision is held on its first pods, and stays there once it has Failed', async () => {
  await shop.setImage('orders:slow', 'deployments');
  await shop.untilGate('that it holds', ({ action }) => action?.state === 'Holding');
  const { status } = await shop.untilGate('Paused', ({ action }) => action?.state === 'Paused');

  assert.equal(status?.verdict, 'Failed');
  assert.equal((await orders()).spec?.paused, true);
  const held = podsOf('orders:slow');
  console.log(`held at ${held} of ${shop.pods().length} pods`);
  assert.ok(held > 0 && held < REPLICAS, `${held} pods`);
});

test('the next revision, a good one, is let go, compared, and rolled out', async () => {
  await shop.setImage('orders:good', 'deployments');
  await shop.untilGate('that it holds the next', ({ action }) => action?.state === 'Holding');
  await shop.untilGate('Released', ({ action }) => action?.state === 'Released');

  assert.equal((await orders()).spec?.paused, undefined);
  await untilOnly('orders:good');
});
