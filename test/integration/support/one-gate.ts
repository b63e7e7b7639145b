/**
 * One gate, orders-cpu, on a real API server, with the real caches, store and comparison. Its pods are never scheduled: a test says
 * they run, and what they burnt. Time is the machine's, moved forward by the test.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { rolloutActor } from '../../../src/controller/acting/take-action.ts';
import { agentReports } from '../../../src/controller/agent-reports-memory.ts';
import { startClusterView } from '../../../src/controller/informed-cluster-view.ts';
import type { Reconciler } from '../../../src/controller/operator-base.ts';
import { lateWindows } from '../../../src/controller/regression-gate/late-windows.ts';
import { regressionGateReconciler } from '../../../src/controller/regression-gate/reconciler.ts';
import { windowSource } from '../../../src/controller/regression-gate/window-source.ts';
import { toldNodes } from '../../../src/controller/told-nodes.ts';
import { emitCrd } from '../../../src/crds/emit.ts';
import { KINDS } from '../../../src/crds/kinds.ts';
import type { RegressionGate } from '../../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../../src/crds/regression-report.ts';
import { API_VERSION } from '../../../src/crds/schema.ts';
import { kubeClient } from '../../../src/kube/client.ts';
import { eventRecorder } from '../../../src/kube/events.ts';
import type { RequestWindow } from '../../../src/requests/request-window.ts';
import { aBatch, aPodWindow, WINDOW_MS } from '../../../src/store/testing/a-batch.ts';
import { openStore } from '../../../src/store/window-store.ts';
import { eventually } from '../../cluster/cluster.ts';

const kubeconfig = process.env['FLAMEGATE_TEST_KUBECONFIG'];
assert.ok(kubeconfig, 'FLAMEGATE_TEST_KUBECONFIG names the kubeconfig of a cluster for tests');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
export const client = kubeClient(config);
export const NAMESPACE = `flamegate-gate-${process.pid}`;
const KEY = `${NAMESPACE}/orders-cpu`;
const namespaces = { apiVersion: 'v1', plural: 'namespaces' };
export const pods = { apiVersion: 'v1', plural: 'pods', namespace: NAMESPACE };
export const gates = { apiVersion: API_VERSION, plural: 'regressiongates', namespace: NAMESPACE };
export const reports = { apiVersion: API_VERSION, plural: 'regressionreports', namespace: NAMESPACE };

let aheadMs = 0;
/** The machine's time, as far ahead as a test has moved it. */
export const now = () => Date.now() + aheadMs;
export function moveAhead(ms: number): void {
  aheadMs += ms;
}
const directory = mkdtempSync(join(tmpdir(), 'flamegate-gate-'));
const store = openStore(join(directory, 'windows.db'), { now });
export const events = eventRecorder(client, {
  controller: 'flamegate.dev/test',
  instance: 'test',
  now: Date.now, // not the moved time: Events of the future would confuse a reader
  onError: (error) => assert.fail(String(error)),
});
export const view = startClusterView({
  kubeConfig: config,
  client,
  agentsNamespace: NAMESPACE,
  agentName: 'flamegate-agent',
  onObject: () => undefined,
  onError: () => undefined,
});
const aReconciler = (): Reconciler<RegressionGate> =>
  regressionGateReconciler({
    client,
    view,
    store,
    source: windowSource({ store, now }),
    agents: agentReports(),
    told: toldNodes(store, now),
    late: lateWindows(store),
    actor: rolloutActor({ client, view, count: () => undefined, now }),
    events,
    log: pino({ level: 'silent' }),
    now,
  });
let reconciler = aReconciler();
/** A controller that is killed: another begins from what the cluster and the store know. */
export function restartController(): void {
  reconciler = aReconciler();
}

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

export async function aRunningPod(track: string, hash: string, index: number): Promise<void> {
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

export const startArm = async (track: string, hash: string): Promise<void> => {
  for (const index of [1, 2, 3]) await aRunningPod(track, hash, index);
  await eventually(`three pods of ${hash} in the cache`, 20, () =>
    podsOf(hash).length === 3 ? true : undefined,
  );
};

export const podsOf = (hash: string) =>
  view
    .pods(NAMESPACE)
    .filter(
      ({ metadata, status }) =>
        metadata?.labels?.['pod-template-hash'] === hash && status?.phase === 'Running',
    );

/** One pass over the gate as it is now, once the caches show what the last pass wrote. */
export async function reconciled(): Promise<RegressionGate> {
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

export const gatePath = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/regressiongates/orders-cpu`;
export const reportsPath = `/apis/${API_VERSION}/namespaces/${NAMESPACE}/regressionreports`;

export async function gateNow(): Promise<RegressionGate> {
  const gate = await client.get<RegressionGate>({ ...gates, name: 'orders-cpu' });
  assert.ok(gate);
  return gate;
}

export const conditionsOf = ({ status }: RegressionGate): string[] =>
  (status?.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);

/** Two minutes of windows in which every function costs what it does, and `slow` what the arm makes of it. */
export function burn(
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
