/** A gate decides about a Rollout of the real Argo Rollouts: by the job provider, and asked by its web provider, as in samples/rollouts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pathOf } from '../../src/kube/client.ts';
import { type JudgedShop, judgedShop, type SampleObject } from '../argo-rollouts/judged-shop.ts';
import { SHOP } from '../bare/cluster.ts';

const ARGO = 'argoproj.io/v1alpha1';
let shop: JudgedShop;

before(async () => {
  shop = await judgedShop(['replicaset-controller', 'job-controller']);
  for (const file of ['asker.yaml', 'argo-rollouts.yaml', 'argo-rollouts-web.yaml'])
    await shop.applySample(file);
  await shop.untilRollout('is healthy for the first time', ({ phase }) => phase === 'Healthy');
});

after(() => shop.stop());

async function rollOut(image: string, template = 'flamegate'): Promise<void> {
  const ref = { apiVersion: ARGO, plural: 'rollouts', namespace: SHOP, name: 'orders' };
  const rollout = await shop.client.get<SampleObject>(ref);
  const { containers = [] } = rollout?.spec.template.spec ?? {};
  const steps = structuredClone(rollout?.spec.strategy.canary.steps ?? []) as {
    analysis?: { templates: object[] };
  }[];
  for (const { analysis } of steps) if (analysis) analysis.templates = [{ templateName: template }];
  const change = {
    template: { spec: { containers: [{ ...containers[0], image }] } },
    strategy: { canary: { steps } },
  };
  await shop.client.request('PATCH', pathOf(ref), { spec: change }, 'application/merge-patch+json');
}

interface Run {
  readonly metadata: { readonly creationTimestamp: string };
  readonly status?: { readonly phase?: string };
}

async function lastAnalysis(): Promise<string | undefined> {
  const path = pathOf({ apiVersion: ARGO, plural: 'analysisruns', namespace: SHOP });
  const { items } = await shop.client.request<{ items: Run[] }>('GET', path);
  const [last] = items.toSorted((a, b) =>
    a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1,
  );
  return last?.status?.phase;
}

async function gateSays(): Promise<string> {
  const { verdict, evaluation } = (await shop.gate())?.status ?? {};
  return `${verdict} of ${evaluation?.canary} against ${evaluation?.baseline}`;
}

test('a slow revision is aborted by the verdict that a job waited for', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:slow');
  const { currentPodHash } = await shop.untilRollout('is aborted', ({ abort }) => abort === true);

  assert.equal(await gateSays(), `Failed of ${currentPodHash} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Failed');
  const { phase } = await shop.untilRollout('is degraded', (status) => status.phase === 'Degraded');
  assert.equal(phase, 'Degraded');
});

test('a good revision is promoted by the verdict that a job waited for', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:good');
  const promoted = await shop.untilRollout(
    'has promoted the good revision',
    (status) => status.stableRS !== stableRS && status.phase === 'Healthy',
  );

  assert.equal(await gateSays(), `Passed of ${promoted.stableRS} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Successful');
});

test('a slow revision is aborted by the verdict that Argo Rollouts itself asked for', async () => {
  const { stableRS } = await shop.untilRollout('is stable', ({ stableRS: hash }) => hash !== undefined);

  await rollOut('orders:slow', 'flamegate-web');
  const { currentPodHash } = await shop.untilRollout('is aborted', ({ abort }) => abort === true);

  assert.equal(await gateSays(), `Failed of ${currentPodHash} against ${stableRS}`);
  assert.equal(await lastAnalysis(), 'Failed');
});
