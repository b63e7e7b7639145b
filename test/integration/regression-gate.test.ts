/** One gate's life on a real API server, through the real caches, store and comparison. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import type { RequestWindow } from '../../src/requests/request-window.ts';
import { aRequestWindow, aRoute } from '../../src/requests/testing/a-request-window.ts';
import { eventually } from '../cluster/cluster.ts';
import {
  burn,
  client,
  conditionsOf,
  events,
  gateNow,
  gates,
  moveAhead,
  NAMESPACE,
  now,
  podsOf,
  reconciled,
  reports,
  reportsPath,
  restartController,
  startArm,
  view,
} from './support/one-gate.ts';

test('a gate without pods waits and says which side is missing', async () => {
  await eventually('the caches are filled', 20, () => (view.synced() ? true : undefined));

  const gate = await reconciled();

  assert.equal(gate.status?.verdict, 'Waiting');
  assert.deepEqual(conditionsOf(gate), [
    'Ready=True WaitingForCanary',
    'BaselineResolved=False NoBaselinePods',
  ]);
  assert.match(gate.status.summary ?? '', /matches baseline: app=orders,track=stable/);
  assert.equal(gate.status.target, 'app=orders,track=canary vs app=orders,track=stable');
});

test('pods that no policy profiles are said to be so, with what to do', async () => {
  await startArm('stable', 'aaa');
  await startArm('canary', 'bbb');

  const gate = await reconciled();

  assert.deepEqual(conditionsOf(gate), [
    'Ready=False NotProfiled',
    'BaselineResolved=True Resolved',
    'DataSufficient=False NotProfiled',
  ]);
});

test('with a policy the evaluation opens, and its windows make it Failed with the function that grew', async () => {
  await client.create(
    { ...gates, plural: 'profilingpolicies' },
    {
      apiVersion: API_VERSION,
      kind: 'ProfilingPolicy',
      metadata: { name: 'jvms' },
      spec: { podSelector: { matchLabels: { app: 'orders' } } },
    },
  );
  await eventually('the policy in the cache', 20, () => view.policies(NAMESPACE)[0]);

  const opened = await reconciled();
  assert.equal(opened.status?.verdict, 'Collecting');
  assert.deepEqual(opened.status.evaluation?.attempt, 1);
  restartController(); // a controller that is killed here goes on with the same evaluation
  const resumed = await reconciled();
  assert.deepEqual(resumed.status?.evaluation, opened.status.evaluation);
  assert.equal(resumed.status.evidence?.frequencyHz, 49);
  assert.equal(resumed.status.evidence.rateReason, 'Collecting');
  burn({ aaa: 20, bbb: 90 }, now() + 1_000, 0);
  moveAhead(150_000);
  const failed = await reconciled();

  assert.equal(failed.status?.verdict, 'Failed', failed.status?.summary);
  assert.equal(failed.status.evidence, undefined, 'a gate that is decided asks for no rate');
  assert.equal(failed.status.worst, 'Json.encode');
  assert.match(failed.status.cpuDelta ?? '', /^\+\d/);
  assert.ok(conditionsOf(failed).includes('Regressed=True FunctionGrew'), conditionsOf(failed).join());
  const report = await client.get<RegressionReport>({ ...reports, name: 'orders-cpu-1' });
  assert.equal(report?.status?.latched, true);
  assert.equal(report.status.culprits?.[0]?.function, 'shop.Json.encode');
  assert.equal(report.status.startedAt, failed.status.evaluation?.startedAt);
});

test('a restarted controller comes to the same and writes nothing', async () => {
  const before = await gateNow();
  const reportBefore = await client.get<RegressionReport>({ ...reports, name: 'orders-cpu-1' });

  restartController();
  const after = await reconciled();

  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion);
  const report = await client.get<RegressionReport>({ ...reports, name: 'orders-cpu-1' });
  assert.equal(report?.metadata.resourceVersion, reportBefore?.metadata.resourceVersion);
});

test('when the canary is gone Regressed clears and the verdict stays to be read', async () => {
  for (const index of [1, 2, 3]) {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/orders-bbb-${index}?gracePeriodSeconds=0`;
    await client.request('DELETE', path);
  }
  await eventually('no canary in the cache', 20, () => (podsOf('bbb').length === 0 ? true : undefined));

  const gate = await reconciled();

  assert.equal(gate.status?.verdict, 'Failed');
  assert.deepEqual(conditionsOf(gate), [
    'Ready=True WaitingForCanary',
    'BaselineResolved=False NoCanaryPods',
  ]);
});

test('another canary is a new attempt on new data, passes, and old reports go', async () => {
  await startArm('canary', 'ccc');

  const opened = await reconciled();
  await reconciled();
  burn({ aaa: 20, ccc: 20 }, now() + 1_000, 100);
  moveAhead(150_000);
  const passed = await reconciled();

  assert.equal(opened.status?.evaluation?.attempt, 2);
  assert.equal(opened.status.evaluation.canary, 'ccc');
  assert.equal(passed.status?.verdict, 'Passed', passed.status?.summary);
  assert.ok(conditionsOf(passed).includes('Regressed=False NoRegression'), conditionsOf(passed).join());
  const left = await client.request<{ items: RegressionReport[] }>('GET', reportsPath);
  assert.deepEqual(
    left.items.map(({ metadata }) => metadata.name),
    ['orders-cpu-2'],
  );
});

/** 500 requests to one route, from 3 ms on in buckets of 2 %, all `slower` buckets later. */
function answered(slower: number): RequestWindow {
  const counts = Array.from({ length: 100 }, (_, at) => [
    at === 0 ? 400 + slower : 1,
    10 - Math.floor(at / 10),
  ]);
  return aRequestWindow({ routes: [aRoute({ latency: counts.flat() })] });
}

test('a canary that burns the same and answers at half the speed fails by its latency', async () => {
  for (const index of [1, 2, 3]) {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/orders-ccc-${index}?gracePeriodSeconds=0`;
    await client.request('DELETE', path);
  }
  await eventually('no canary in the cache', 20, () => (podsOf('ccc').length === 0 ? true : undefined));
  await startArm('canary', 'ddd');

  await reconciled();
  await reconciled();
  burn({ aaa: 20, ddd: 20 }, now() + 1_000, 200, (hash) => answered(hash === 'ddd' ? 35 : 0));
  moveAhead(150_000);
  const failed = await reconciled();

  assert.equal(failed.status?.verdict, 'Failed', failed.status?.summary);
  assert.match(failed.status.latencyDelta ?? '', /^\+\d/);
  assert.ok(conditionsOf(failed).includes('Regressed=True LatencyGrew'), conditionsOf(failed).join());
  const report = await client.get<RegressionReport>({ ...reports, name: 'orders-cpu-3' });
  assert.deepEqual(
    report?.status?.checks?.map(({ check }) => check),
    ['cpu.function', 'latency.p50', 'latency.p99', 'errors', 'cpu.perRequest'],
  );
});

test('every transition is one Event, with the reason of its condition', async () => {
  await events.stop();
  const path = `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`;

  const seen = await client.request<{
    items: { type: string; reason: string; regarding: { kind: string } }[];
  }>('GET', path);

  const ofGate = seen.items.filter(({ regarding }) => regarding.kind === 'RegressionGate');
  assert.deepEqual(ofGate.map(({ type, reason }) => `${type} ${reason}`).sort(), [
    'Normal Evaluating',
    'Normal Evaluating',
    'Normal Evaluating',
    'Normal NoRegression',
    'Warning FunctionGrew',
    'Warning LatencyGrew',
    'Warning NotProfiled',
  ]);
});
