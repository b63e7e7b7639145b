/** samples/grafana/flamegate.json: what Grafana needs of it, and each expression, answered by a real Prometheus that reads real pages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { ContainerRequests } from '../src/agent/container-requests.ts';
import { startHealthServer as startAgentPage } from '../src/agent/health-server.ts';
import { createMetrics } from '../src/agent/metrics.ts';
import { createRequestDurations } from '../src/agent/request-durations.ts';
import { exposeActions } from '../src/controller/acting/action-metrics.ts';
import { startHealthServer as startControllerPage } from '../src/controller/health.ts';
import { ingestMetrics } from '../src/controller/ingest/ingest-metrics.ts';
import { controllerMetrics } from '../src/controller/metrics.ts';
import { exposeSinks } from '../src/controller/notifications/sink-metrics.ts';
import { exposeGates } from '../src/controller/regression-gate/gate-metrics.ts';
import { exposeLateWindows } from '../src/controller/regression-gate/late-windows.ts';
import { aGate, aPod, aView } from '../src/controller/regression-gate/testing/a-cluster.ts';
import type { IoWindow } from '../src/profile/io-window.ts';
import { aBatch, aPodWindow } from '../src/store/testing/a-batch.ts';
import { openStore } from '../src/store/window-store.ts';
import { aPrometheus, type RunningPrometheus, until } from '../test/prometheus/prometheus.ts';
import {
  type Dashboard,
  type Expression,
  expressionsOf,
  grafanaDashboard,
  type Panel,
} from './reference/grafana-dashboard.ts';

const dashboard: Dashboard = grafanaDashboard();

test('the dashboard is one that Grafana can import', () => {
  const { panels, templating, schemaVersion, uid } = dashboard;
  const ids = panels.map(({ id }) => id);
  const source = templating.list.find(({ type }) => type === 'datasource');

  assert.ok(schemaVersion >= 36, 'data sources are objects since then');
  assert.equal(uid, 'flamegate');
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
  assert.deepEqual([source?.name, source?.query], ['datasource', 'prometheus']);
  for (const panel of panels.filter(({ type }) => type !== 'row')) {
    assert.equal(panel.datasource?.uid, `\${${source?.name}}`, panel.title);
    for (const target of panel.targets)
      assert.equal(target.datasource.uid, panel.datasource.uid, panel.title);
    const refs = panel.targets.map(({ refId }) => refId);
    assert.equal(new Set(refs).size, refs.length, `${panel.title}: targets have names of their own`);
    assert.ok(refs.length > 0, panel.title);
  }
  assert.deepEqual(overlapping(panels), []);
});

test('variables that expressions use are there, and all are used', () => {
  const used = new Set(expressionsOf(dashboard).flatMap(({ raw }) => raw.match(/(?<=\$)\w+/g) ?? []));
  const defined = dashboard.templating.list.map(({ name }) => name).filter((name) => name !== 'datasource');

  assert.deepEqual([...used].toSorted(), defined.toSorted());
});

test('every metric of the dashboard is explained in docs/metrics.md', () => {
  const docs = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8');
  const OF_PROM_CLIENT = /^process_/;
  const names = expressionsOf(dashboard).flatMap(
    ({ raw }) => raw.match(/\b(?:[a-z]+_){2,}[a-z]+\b(?=[{[)\s]|$)/g) ?? [],
  );
  const metrics = names.filter(
    (name) => !/^(k8s|http_request|http_route|rpc_service|rpc_method|histogram)/.test(name),
  );

  assert.ok(metrics.length > 40);
  for (const name of metrics)
    assert.ok(OF_PROM_CLIENT.test(name) || docs.includes(name.replace(/_(bucket|count|sum)$/, '')), name);
});

for (const nativeHistograms of [true, false]) {
  test(`every expression has an answer from real pages, ${nativeHistograms ? 'native' : 'classic'} histograms`, async (t) => {
    const targets = [await anAgent(t), await aController(t)];
    const prometheus = await aPrometheus(t, { targets, nativeHistograms });

    let silent = expressionsOf(dashboard).filter(({ raw }) => !raw.includes(ASKED_OF_NOBODY));
    await until('every answer', async () => {
      silent = await unanswered(prometheus, silent);
      return silent.length === 0 ? true : undefined;
    }).catch(() => assert.deepEqual(silent, []));
  });
}

/** Counted only where the settings have gates read from a Prometheus. */
const ASKED_OF_NOBODY = 'flamegate_backend_reads_total';

async function unanswered({ query }: RunningPrometheus, some: readonly Expression[]) {
  const answers = await Promise.all(some.map(({ asked }) => query(asked)));
  return some.filter((_, at) => answers[at]?.size === 0);
}

/** Goes on serving until the test ends: rates want two scrapes in which something grew. */
async function anAgent(t: TestContext): Promise<number> {
  const durations = createRequestDurations();
  const metrics = createMetrics(durations, () => [{ name: 'pyroscope', sent: 3, refused: 0, lost: 0 }]);
  const pods = ['orders-1', 'orders-2'].map((pod) => {
    const answerer = {
      namespace: 'shop',
      pod,
      podUid: pod,
      container: 'app',
      workload: { kind: 'Deployment', name: 'orders' },
    };
    return new ContainerRequests(
      [],
      durations.begin(() => answerer),
    );
  });
  const serve = (): void => {
    for (const container of pods) {
      const get = { method: 'GET', path: '/orders/17', latencyNs: 30e6, outcome: 'Completed' } as const;
      container.add({ ...get, status: 200 });
      container.add({ ...get, status: 500 });
      container.add({
        ...get,
        method: 'POST',
        path: '/shop.Orders/Get',
        status: 200,
        rpc: 'Unary',
        grpcStatus: 0,
      });
      container.take(undefined);
    }
    metrics.samples.inc({}, 100);
    metrics.lost.inc({ cause: 'ringFull' }, 1);
    metrics.pushes.inc({ result: 'sent', code: 'OK' });
    metrics.requestsLost.inc({}, 0);
    metrics.samplerOpen.set(1);
    metrics.io.add(aBatchWithIo());
  };
  serve();
  const timer = setInterval(serve, 200);
  const server = await startAgentPage(0, {
    metrics: metrics.families,
    alive: () => true,
    failure: () => undefined,
  });
  t.after(async () => {
    clearInterval(timer);
    await server.stop();
  });
  return server.port;
}

const aBatchWithIo = () => {
  const io: IoWindow = {
    ...{ state: 'Seen' as const, reason: '', message: '', leastMs: 10, unseen: 0 },
    ...{ lost: { calls: 0, ns: 0 }, functions: [], counts: [] },
    totals: [{ kind: 'fileRead', calls: 5, failed: 0, bytes: 500, ns: 5e6, latency: [] }],
  };
  return aBatch({ pods: [aPodWindow({ io })] });
};

/** Its page as start-controller.ts puts it together, of a gate that has failed and paused its rollout. */
async function aController(t: TestContext): Promise<number> {
  const metrics = controllerMetrics();
  const { registry } = metrics;
  const pods = [
    aPod({ name: 'orders-1', labels: { app: 'orders', track: 'stable' } }),
    aPod({ name: 'orders-2', labels: { app: 'orders', track: 'canary' } }),
  ];
  const view = aView({ gates: [aGateThatPaused()], pods });
  exposeGates(registry, view);
  exposeLateWindows(registry, { counts: () => new Map([['shop/orders', 2]]) });
  exposeSinks(registry, () => [{ name: 'alertmanager', sent: 1, refused: 0, lost: 0 }]);
  const act = exposeActions(registry, view);
  const store = openStore(':memory:', { now: Date.now });
  const ingest = ingestMetrics(registry, store);
  const queue = metrics.queue('regressiongates');
  metrics.leader('flamegate-controller', true);
  metrics.settings('abc', true);
  metrics.policies(1);
  const work = (): void => {
    act('pause', 'done');
    ingest.batch('stored', 0.01);
    ingest.refused('INGEST_BUSY');
    queue.added(1);
    queue.started(0, 1);
    queue.finished('success', 5);
    metrics.request('GET', 200, 'api');
  };
  work();
  const timer = setInterval(work, 200);
  const page = await startControllerPage({
    port: 0,
    registry,
    sick: () => undefined,
    notReady: () => undefined,
  });
  t.after(async () => {
    clearInterval(timer);
    await page.stop();
    store.close();
  });
  return page.port;
}

function aGateThatPaused() {
  const since = { observedGeneration: 1, lastTransitionTime: '2026-01-01T12:00:00Z', message: 'P99 grew' };
  const at = '2026-01-01T12:00:00Z';
  return aGate({
    status: {
      verdict: 'Failed',
      conditions: [
        { type: 'Regressed', status: 'True', reason: 'LatencyGrew', ...since },
        { type: 'RolloutStopped', status: 'True', reason: 'Paused', ...since },
      ],
      action: { state: 'Paused', reason: 'Failed', message: '', revision: 'bbb', at },
    },
  });
}

/** Panels that lie on each other. */
function overlapping(panels: readonly Panel[]): readonly string[] {
  const apart = (a: Panel['gridPos'], b: Panel['gridPos']): boolean =>
    a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
  return panels.flatMap((a, at) =>
    panels.slice(at + 1).flatMap((b) => (apart(a.gridPos, b.gridPos) ? [] : [`${a.title} and ${b.title}`])),
  );
}
