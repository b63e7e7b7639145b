/**
 * samples/rollouts/abort.yaml with the real Argo Rollouts: from the change of a Rollout to its abort, as a timeline with the share of the
 * pods that the slow revision had; and a pause of the same Rollout.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { ownersOfPause } from '../../src/controller/acting/pause-mark.ts';
import { pathOf } from '../../src/kube/client.ts';
import { GATE, type JudgedShop, judgedShop, type SampleObject } from '../argo-rollouts/judged-shop.ts';
import { SHOP } from '../bare/cluster.ts';
import { eventually } from '../cluster/cluster.ts';

const SAMPLE = 'abort.yaml';
const ROLLOUT = { apiVersion: 'argoproj.io/v1alpha1', plural: 'rollouts', namespace: SHOP, name: 'orders' };
const VERDICT_MS = 600_000;
const LOOK_MS = 500;
const MERGE = 'application/merge-patch+json';
let shop: JudgedShop;

before(async () => {
  shop = await judgedShop(['replicaset-controller']);
  await shop.applySample(SAMPLE);
  await shop.untilRollout('is healthy for the first time', ({ phase }) => phase === 'Healthy');
});

after(() => shop.stop());

const withImage =
  (image: string) =>
  ({ kind, spec }: SampleObject): void => {
    if (kind !== 'Rollout') return;
    const [container] = spec.template.spec.containers;
    if (container !== undefined) container.image = image;
  };

/** Of the pods that run, those of the image. */
function shareOf(image: string): { readonly pods: number; readonly of: number } {
  const pods = shop.pods();
  return { pods: pods.filter(({ spec }) => spec?.containers[0]?.image === image).length, of: pods.length };
}

interface Moment {
  readonly atMs: number;
  readonly what: string;
}

/** When each came true for the first time, and the largest share of pods until the last did. */
async function timeline(image: string, startedMs: number) {
  const moments: Moment[] = [{ atMs: 0, what: 'the changed Rollout is applied' }];
  let largest = 0;
  const seen = (what: string, isSo: boolean): boolean => {
    if (isSo && !moments.some((moment) => moment.what === what))
      moments.push({ atMs: Date.now() - startedMs, what });
    return isSo;
  };
  const isOver = async (): Promise<boolean> => {
    const { pods, of } = shareOf(image);
    largest = Math.max(largest, of === 0 ? 0 : pods / of);
    const { evaluation, verdict, action } = (await shop.gate())?.status ?? {};
    const rollout = await shop.client.get<{ status?: { currentPodHash?: string; abort?: boolean } }>(ROLLOUT);
    const isOurs = evaluation?.canary === rollout?.status?.currentPodHash;
    seen('its pods run', pods > 0);
    seen('the gate compares', isOurs);
    seen('the gate says Failed', isOurs && verdict === 'Failed');
    const isAborted = seen('the Rollout is aborted', rollout?.status?.abort === true);
    seen('the gate says that it did it', isOurs && action?.state === 'Aborted');
    return seen('no pod of it is left', isAborted && pods === 0 && action?.state === 'Aborted');
  };
  while (!(await isOver())) {
    assert.ok(Date.now() - startedMs < VERDICT_MS, JSON.stringify(moments));
    await delay(LOOK_MS);
  }
  return { moments, largest };
}

test('a slow revision is aborted by its gate at five per cent of the pods', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  const startedMs = Date.now();
  await shop.applySample(SAMPLE, withImage('orders:slow'));
  const { moments, largest } = await timeline('orders:slow', startedMs);

  for (const { atMs, what } of moments) console.log(`${(atMs / 1_000).toFixed(1).padStart(7)} s  ${what}`);
  console.log(`largest share of the pods: ${(100 * largest).toFixed(1)} %`);
  assert.ok(largest > 0 && largest <= 0.05, `${largest} of the pods`);
  const { status } = (await shop.gate()) ?? assert.fail('no gate');
  assert.equal(status?.action?.reason, 'Failed');
  assert.equal(status.evaluation?.baseline, stableRS);
  await shop.untilRollout('is degraded', ({ phase }) => phase === 'Degraded');
});

test('a slow revision is paused where the gate says so, goes back by the command of its status, and a newer one is not held up', async () => {
  await shop.applySample(SAMPLE, withImage('orders:stable'));
  await shop.client.request('PATCH', pathOf(GATE), { spec: { onFailed: 'Pause' } }, MERGE);
  await shop.untilRollout('is healthy again', ({ phase }) => phase === 'Healthy');
  await shop.setImage('orders:slow-again');
  const { status } = await shop.untilGate('Paused', ({ action }) => action?.state === 'Paused');
  assert.match(
    status?.action?.undo ?? '',
    /^kubectl argo rollouts abort -n shop orders && kubectl patch rollouts/,
  );
  const paused = await shop.client.get<KubernetesObject & { spec: { paused?: boolean } }>(ROLLOUT);
  assert.equal(paused?.spec.paused, true);
  assert.deepEqual(ownersOfPause(paused), ['flamegate-acting']);
  await shop.untilRollout('is paused', ({ phase }) => phase === 'Paused');

  // what both commands of the line send
  await shop.client.request('PATCH', `${pathOf(ROLLOUT)}/status`, { status: { abort: true } }, MERGE);
  await shop.client.request('PATCH', pathOf(ROLLOUT), { spec: { paused: null } }, MERGE);
  await eventually('no pod of it is left', 120, () => shareOf('orders:slow-again').pods === 0 || undefined);

  await shop.setImage('orders:slow-anew');
  await shop.untilGate('Paused again', ({ action }) => action?.state === 'Paused');
  await shop.setImage('orders:good');
  await eventually('the newer one has pods', 120, () => shareOf('orders:good').pods > 0 || undefined);
  const released = await shop.client.get<{ spec: { paused?: boolean } }>(ROLLOUT);
  assert.equal(released?.spec.paused, undefined);
});
