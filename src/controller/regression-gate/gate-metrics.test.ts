/** What gates say to Prometheus, and what becomes of it with the rules and the Alertmanager of samples/alerting. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { anAlertmanager, aPrometheus, until } from '../../../test/prometheus/prometheus.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { ClusterView } from '../cluster-view.ts';
import { startHealthServer } from '../health.ts';
import { exposeGates } from './gate-metrics.ts';
import { aGate, aPod, aView, metadata } from './testing/a-cluster.ts';

const SAMPLES = new URL('../../../samples/alerting/', import.meta.url);
const sample = (name: string): string => fileURLToPath(new URL(name, SAMPLES));

type Verdict = NonNullable<NonNullable<RegressionGate['status']>['verdict']>;

function gateThat(verdict: Verdict, regressed: 'True' | 'False' | 'Unknown', name = 'orders-cpu') {
  const condition = {
    ...{ type: 'Regressed', status: regressed, reason: 'LatencyGrew', message: 'P99 grew' },
    ...{ observedGeneration: 1, lastTransitionTime: '2026-01-01T12:00:00Z' },
  };
  return aGate({ metadata: metadata(name), status: { verdict, conditions: [condition] } });
}

function registryOf(view: ClusterView): Registry {
  const registry = new Registry();
  exposeGates(registry, view);
  return registry;
}

async function seriesOf(view: ClusterView, name: string): Promise<readonly string[]> {
  const text = await registryOf(view).getSingleMetricAsString(name);
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const track = (name: string, side: 'stable' | 'canary') =>
  aPod({ name, labels: { app: 'orders', track: side } });

test('a gate has one verdict of five, and one that was never judged waits', async () => {
  const view = aView({ gates: [gateThat('Failed', 'True'), aGate({ metadata: metadata('web') })] });

  const series = await seriesOf(view, 'flamegate_gate_verdict');

  assert.equal(series.length, 10);
  assert.deepEqual(
    series.filter((line) => line.endsWith(' 1')),
    [
      'flamegate_gate_verdict{k8s_namespace_name="shop",gate="orders-cpu",verdict="Failed"} 1',
      'flamegate_gate_verdict{k8s_namespace_name="shop",gate="web",verdict="Waiting"} 1',
    ],
  );
});

test('a gate that failed counts as regressed only while its canary runs', async () => {
  const regressed = async (gate: RegressionGate) => {
    const [line = ''] = await seriesOf(aView({ gates: [gate] }), 'flamegate_gate_regressed');
    return Number(line.split(' ').at(-1));
  };

  assert.equal(await regressed(gateThat('Failed', 'True')), 1);
  assert.equal(await regressed(gateThat('Passed', 'False')), 0);
  assert.equal(await regressed(aGate({ status: { verdict: 'Failed', conditions: [] } })), 0);
});

test('pods that are compared are told with their arm, each once though two gates compare it', async () => {
  const pods = [track('orders-1', 'stable'), track('orders-2', 'canary'), aPod({ name: 'neither' })];
  const gates = ['orders-latency', 'orders-cpu'].map((name) => aGate({ metadata: metadata(name) }));

  assert.deepEqual(await seriesOf(aView({ gates, pods }), 'flamegate_gate_pod_info'), [
    'flamegate_gate_pod_info{k8s_namespace_name="shop",gate="orders-cpu",arm="baseline",k8s_pod_name="orders-1"} 1',
    'flamegate_gate_pod_info{k8s_namespace_name="shop",gate="orders-cpu",arm="canary",k8s_pod_name="orders-2"} 1',
  ]);
});

test('a gate that is gone, and a pod, take their series along', async () => {
  const pods = [track('orders-1', 'stable'), track('orders-2', 'canary')];
  const view = aView({ gates: [gateThat('Passed', 'False')], pods });
  const registry = registryOf(view);
  assert.match(await registry.metrics(), /gate="orders-cpu",arm="canary",k8s_pod_name="orders-2"/);
  view.change({ pods: [pods[0] ?? aPod()] });
  assert.doesNotMatch(await registry.metrics(), /k8s_pod_name/);
  assert.match(await registry.metrics(), /gate="orders-cpu"/);
  view.change({ gates: [] });

  assert.doesNotMatch(await registry.metrics(), /gate="orders-cpu"/);
});

test('a canary that is proven worse is an active alert in Alertmanager, and none once it is gone', async (t) => {
  const web = gateThat('Passed', 'False', 'web');
  const view = aView({ gates: [gateThat('Failed', 'True'), web] });
  const alertmanager = await anAlertmanager(t, sample('alertmanager.yaml'));
  const { port } = await served(t, view);
  const rules = { ruleFiles: [sample('flamegate.rules.yaml')], alertmanager: alertmanager.port };
  const prometheus = await aPrometheus(t, { targets: [port], ...rules });

  const [alert, ...more] = await until('an alert is active', async () => {
    const active = await alertmanager.active();
    return active.length > 0 ? active : undefined;
  });

  assert.deepEqual(more, []);
  assert.deepEqual(alert, {
    ...{ alertname: 'FlamegateCanaryRegressed', severity: 'critical' },
    ...{ k8s_namespace_name: 'shop', gate: 'orders-cpu' },
  });
  view.change({ gates: [aGate({ status: { verdict: 'Failed', conditions: [] } }), web] }); // its pods are gone
  await until('no alert is active', async () =>
    (await alertmanager.active()).length === 0 ? true : undefined,
  );
  const shown = await prometheus.query('flamegate_gate_verdict == 1', 'gate', 'verdict');
  assert.deepEqual([...shown.keys()].sort(), ['orders-cpu Failed', 'web Passed']);
});

async function served(t: TestContext, view: ClusterView): Promise<{ port: number }> {
  const health = await startHealthServer({
    port: 0,
    registry: registryOf(view),
    sick: () => undefined,
    notReady: () => undefined,
  });
  t.after(() => health.stop());
  return health;
}
