/**
 * One gate's life on a real API server, through the real caches, store and comparison. Its pods are never scheduled:
 * the test says they run, and what they burnt. Time is the machine's, moved forward by the test.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { startClusterView } from '../../src/controller/informed-cluster-view.ts';
import type { Reconciler } from '../../src/controller/operator-base.ts';
import { regressionGateReconciler } from '../../src/controller/regression-gate/reconciler.ts';
import { CERTIFY_ANNOTATION } from '../../src/crds/certification.ts';
import { emitCrd } from '../../src/crds/emit.ts';
import { KINDS } from '../../src/crds/kinds.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { eventRecorder } from '../../src/kube/events.ts';
import type { RequestWindow } from '../../src/requests/request-window.ts';
import { aRequestWindow, aRoute } from '../../src/requests/testing/a-request-window.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../src/store/testing/a-batch.ts';
import { openStore } from '../../src/store/window-store.ts';
import { eventually } from '../cluster/cluster.ts';

const kubeconfig = process.env['FLAMEGATE_TEST_KUBECONFIG'];
assert.ok(kubeconfig, 'FLAMEGATE_TEST_KUBECONFIG names the kubeconfig of a cluster for tests');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const client = kubeClient(config);
const NAMESPACE = `flamegate-gate-${process.pid}`;
const KEY = `${NAMESPACE}/orders-cpu`;
const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
const pods = { apiVersion: 'v1', plural: 'pods', namespace: NAMESPACE };
const gates = { apiVersion: API_VERSION, plural: 'regressiongates', namespace: NAMESPACE };
const reports = { apiVersion: API_VERSION, plural: 'regressionreports', namespace: NAMESPACE };

let aheadMs = 0;
const now = () => Date.now() + aheadMs;
const directory = mkdtempSync(join(tmpdir(), 'flamegate-gate-'));
const store = openStore(join(directory, 'windows.db'), { now });
const events = eventRecorder(client, {
  controller: 'flamegate.dev/test',
  instance: 'test',
  now: Date.now, // not the moved time: Events of the future would confuse a reader
  onError: (error) => assert.fail(String(error)),
});
const view = startClusterView({
  kubeConfig: config,
  client,
  agentsNamespace: NAMESPACE,
  agentName: 'flamegate-agent',
  onObject: () => undefined,
  onError: () => undefined,
});
const aReconciler = (): Reconciler<RegressionGate> =>
  regressionGateReconciler({ client, view, store, events, log: pino({ level: 'silent' }), now });
let reconciler = aReconciler();

interface Leases {
  readonly items: readonly {
    readonly metadata: { name: string };
    readonly spec?: { readonly renewTime?: string };
  }[];
}

/** An installed controller sees every namespace: it would judge this gate too, without the windows of the test. */
async function assertNoControllerRuns(): Promise<void> {
  const { items } = await client.request<Leases>('GET', '/apis/coordination.k8s.io/v1/leases');
  const running = items.find(
    ({ metadata, spec }) =>
      metadata.name === 'flamegate-controller' && Date.now() - Date.parse(spec?.renewTime ?? '') < 30_000,
  );
  assert.equal(running, undefined, 'a Flamegate controller runs in this cluster; remove it before this test');
}

before(async () => {
  await assertNoControllerRuns();
  for (const crd of KINDS.map(emitCrd)) {
    const ref = {
      apiVersion: 'apiextensions.k8s.io/v1',
      plural: 'customresourcedefinitions',
      name: crd.metadata.name,
    };
    await client.apply(ref, crd, { fieldManager: 'flamegate-install', force: true });
  }
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const arm = (track: string) => ({ podSelector: { matchLabels: { app: 'orders', track } } });
  const gate = {
    apiVersion: API_VERSION,
    kind: 'RegressionGate',
    metadata: { name: 'orders-cpu' },
    spec: {
      baseline: arm('stable'),
      canary: arm('canary'),
      checks: { cpu: { function: { margin: '2%' } } },
      duration: { warmUp: '10s', min: '1m', deadline: '10m' },
      reportHistoryLimit: 1,
    },
  };
  await eventually('the CRDs are served', 30, () => client.create(gates, gate));
});

after(async () => {
  await view.stop();
  await events.stop();
  store.close();
  rmSync(directory, { recursive: true });
  await client.delete({ ...namespaces, name: NAMESPACE });
});

async function aRunningPod(track: string, hash: string, index: number): Promise<void> {
  const name = `orders-${hash}-${index}`;
  const container = { name: 'app', image: `orders:${hash}` };
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'orders', track, 'pod-template-hash': hash } },
    spec: { schedulerName: 'nobody', containers: [container], automountServiceAccountToken: false },
  });
  const state = { running: { startedAt: new Date(Date.now() - 600_000).toISOString() } };
  const started = {
    ...container,
    imageID: 'x',
    ready: true,
    restartCount: 0,
    containerID: 'containerd://1',
    state,
  };
  await client.request(
    'PATCH',
    `/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`,
    { status: { phase: 'Running', containerStatuses: [started] } },
    'application/merge-patch+json',
  );
}

const startArm = async (track: string, hash: string): Promise<void> => {
  for (const index of [1, 2, 3]) await aRunningPod(track, hash, index);
  await eventually(`three pods of ${hash} in the cache`, 20, () =>
    podsOf(hash).length === 3 ? true : undefined,
  );
};

const podsOf = (hash: string) =>
  view
    .pods(NAMESPACE)
    .filter(
      ({ metadata, status }) =>
        metadata?.labels?.['pod-template-hash'] === hash && status?.phase === 'Running',
    );

/** One pass over the gate as it is now, once the caches show what the last pass wrote. */
async function reconciled(): Promise<RegressionGate> {
  const stored = await gateNow();
  await eventually('the cache is fresh', 20, async () => {
    const newest = await client.request<{ items: RegressionReport[] }>('GET', reportsPath);
    const versionsMatch = newest.items.every(({ metadata }) =>
      view
        .reports(NAMESPACE)
        .some(
          (cached) =>
            cached.metadata.uid === metadata.uid &&
            cached.metadata.resourceVersion === metadata.resourceVersion,
        ),
    );
    return versionsMatch && newest.items.length === view.reports(NAMESPACE).length ? true : undefined;
  });
  await reconciler.reconcile(KEY, stored, AbortSignal.timeout(30_000));
  return gateNow();
}

const gatePath = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/regressiongates/orders-cpu`;
const reportsPath = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/regressionreports`;

async function gateNow(): Promise<RegressionGate> {
  const gate = await client.get<RegressionGate>({ ...gates, name: 'orders-cpu' });
  assert.ok(gate);
  return gate;
}

const conditionsOf = ({ status }: RegressionGate): string[] =>
  (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);

/** Two minutes of windows in which every function costs what it does, and `slow` what the arm makes of it. */
function burn(
  arms: Readonly<Record<string, number>>,
  fromMs: number,
  sequence: number,
  requestsOf?: (hash: string) => RequestWindow,
): void {
  const strings = [
    'shop.Json.encode',
    'shop.Orders.handle',
    'shop.Http.read',
    'shop.Thread.run',
    'shop.Db.query',
  ];
  const stacks = [
    [0, 1, 3],
    [1, 3],
    [2, 3],
    [4, 1, 3],
  ];
  for (let window = 0; window < 12; window++) {
    const startMs = fromMs + window * WINDOW_MS;
    const windows = Object.entries(arms).flatMap(([hash, slow]) =>
      podsOf(hash).map((pod) => {
        const counts = [slow, 120, 110, 90].map((count, stack): [number, number] => [
          stack,
          count + ((window + stack) % 3),
        ]);
        const samples = counts.reduce((sum, [, count]) => sum + count, 0);
        return aPodWindow({
          podUid: pod.metadata?.uid ?? '',
          startedAtMs: startMs - 600_000,
          counts,
          samples,
          ...(requestsOf && { requests: requestsOf(hash) }),
        });
      }),
    );
    store.addBatch(
      aBatch({
        sequence: sequence + window,
        startMs,
        endMs: startMs + WINDOW_MS,
        strings,
        stacks,
        pods: windows,
      }),
    );
  }
}

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
  reconciler = aReconciler(); // a controller that is killed here goes on with the same evaluation
  const resumed = await reconciled();
  assert.deepEqual(resumed.status?.evaluation, opened.status.evaluation);
  burn({ aaa: 20, bbb: 90 }, now() + 1_000, 0);
  aheadMs += 150_000;
  const failed = await reconciled();

  assert.equal(failed.status?.verdict, 'Failed', failed.status?.summary);
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

  reconciler = aReconciler();
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
  aheadMs += 150_000;
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
  aheadMs += 150_000;
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

test('between rollouts a gate that is asked certifies itself by its own baseline, and says what is in the way', async () => {
  for (const index of [1, 2, 3]) {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/orders-ddd-${index}?gracePeriodSeconds=0`;
    await client.request('DELETE', path);
  }
  await eventually('no canary in the cache', 20, () => (podsOf('ddd').length === 0 ? true : undefined));
  const annotations = { [CERTIFY_ANNOTATION]: 'first' };
  await client.request('PATCH', gatePath, { metadata: { annotations } }, 'application/merge-patch+json');
  const tooFew = await reconciled();

  for (const index of [4, 5, 6]) await aRunningPod('stable', 'aaa', index);
  await eventually('six baseline pods in the cache', 20, () =>
    podsOf('aaa').length === 6 ? true : undefined,
  );
  aheadMs += 3_700_000; // what the first three did before is older than what the store keeps
  const fromMs = now() + 1_000;
  for (let part = 0; part < 9; part++) burn({ aaa: 20 }, fromMs + part * 120_000, 300 + part * 12);
  aheadMs += 9 * 120_000 + 30_000;
  const certified = await eventually('the gate is certified', 60, async () => {
    const gate = await reconciled();
    return gate.status?.certification === undefined ? undefined : gate;
  });

  assert.deepEqual(conditionsOf(tooFew).slice(2), ['Certified=Unknown TooFewPods']);
  const { certification, verdict } = certified.status ?? {};
  assert.deepEqual(conditionsOf(certified).slice(2), ['Certified=True PlacebosPassed']);
  assert.match(
    certification?.summary ?? '',
    /^0 of 20 placebos failed; sees ≥ [\d.]+ % of CPU in 10 min with 3/,
  );
  assert.deepEqual(
    { request: certification?.request, baseline: certification?.baseline, pods: certification?.pods },
    { request: 'first', baseline: 'aaa', pods: 6 },
  );
  assert.equal(verdict, 'Failed', 'the last verdict stays to be read');
  const again = await reconciled();
  assert.equal(
    again.metadata.resourceVersion,
    certified.metadata.resourceVersion,
    'an answer is not repeated',
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
    'Normal PlacebosPassed',
    'Warning FunctionGrew',
    'Warning LatencyGrew',
    'Warning NotProfiled',
  ]);
});
