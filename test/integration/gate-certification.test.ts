/** A gate between rollouts: it certifies itself by its baseline's pods, and judges by what it found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvaluations } from '../../src/cli/kept-evaluations.ts';
import { keptEvaluations } from '../../src/cli/past-evaluations.ts';
import { CERTIFY_ANNOTATION } from '../../src/crds/certification.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { eventually } from '../cluster/cluster.ts';
import {
  aRunningPod,
  burn,
  client,
  conditionsOf,
  gatePath,
  gates,
  moveAhead,
  NAMESPACE,
  now,
  podsOf,
  reconciled,
  startArm,
  view,
} from './support/one-gate.ts';

test('a gate that is asked says what is in the way of certifying itself', async () => {
  await eventually('the caches are filled', 20, () => (view.synced() ? true : undefined));
  const policy = {
    apiVersion: API_VERSION,
    kind: 'ProfilingPolicy',
    metadata: { name: 'jvms' },
    spec: { podSelector: { matchLabels: { app: 'orders' } } },
  };
  await client.create({ ...gates, plural: 'profilingpolicies' }, policy);
  await eventually('the policy in the cache', 20, () => view.policies(NAMESPACE)[0]);
  await startArm('stable', 'aaa');
  const unasked = await reconciled();

  const annotations = { [CERTIFY_ANNOTATION]: 'first' };
  await client.request('PATCH', gatePath, { metadata: { annotations } }, 'application/merge-patch+json');
  const asked = await reconciled();

  assert.deepEqual(conditionsOf(unasked), [
    'Ready=True WaitingForCanary',
    'BaselineResolved=False NoCanaryPods',
  ]);
  assert.deepEqual(conditionsOf(asked).slice(2), ['Certified=Unknown TooFewPods']);
});

test('with six pods and eighteen minutes of windows it is certified, once', async () => {
  for (const index of [4, 5, 6]) await aRunningPod('stable', 'aaa', index);
  await eventually('six baseline pods in the cache', 20, () =>
    podsOf('aaa').length === 6 ? true : undefined,
  );
  const fromMs = now() + 1_000;
  for (let part = 0; part < 9; part++) burn({ aaa: 20 }, fromMs + part * 120_000, part * 12);
  moveAhead(9 * 120_000 + 30_000);

  const certified = await eventually('the gate is certified', 60, async () => {
    const gate = await reconciled();
    return gate.status?.certification === undefined ? undefined : gate;
  });
  const again = await reconciled();

  assert.deepEqual(conditionsOf(certified).slice(2), ['Certified=True PlacebosPassed']);
  const { summary = '', request, baseline, pods, podVarianceFactor } = certified.status?.certification ?? {};
  assert.match(
    summary,
    /^0 of 20 placebos failed(?: \(worth \d+ independent ones\))?; sees ≥ [\d.]+ % of CPU in 10 min with 3 canary pods/,
  );
  assert.deepEqual(
    { request, baseline, pods, podVarianceFactor },
    { request: 'first', baseline: 'aaa', pods: 6, podVarianceFactor: '1' },
  );
  assert.equal(again.metadata.resourceVersion, certified.metadata.resourceVersion);
});

test('a rollout after it is judged, keeps the certification, and is read back with its settings', async () => {
  await startArm('canary', 'bbb');
  const opened = await reconciled();
  await reconciled();
  burn({ aaa: 20, bbb: 90 }, now() + 1_000, 200);
  moveAhead(150_000);
  const failed = await reconciled();

  assert.equal(opened.status?.verdict, 'Collecting');
  assert.equal(failed.status?.verdict, 'Failed', failed.status?.summary);
  assert.deepEqual(conditionsOf(failed).at(-1), 'Certified=True PlacebosPassed');
  const [evaluation, ...others] = keptEvaluations(await readEvaluations(client, NAMESPACE), []);
  assert.deepEqual(others, []);
  assert.equal(evaluation?.name, `${NAMESPACE}/orders-cpu-1`);
  assert.deepEqual(evaluation.said?.by, ['shop.Json.encode']);
  assert.equal(evaluation.spec?.checks.cpu.function.margin, '2%');
});
