/**
 * A canary that computes what the baseline does, and whose slowest orders wait 12 ms longer: it fails by its latency, which is
 * seen at the node's sockets, and Alertmanager hears of it. A canary without any change does not fail.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, startLoad } from '../../scripts/demo/load.ts';
import { expressionsOf, grafanaDashboard } from '../../scripts/reference/grafana-dashboard.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import type { RegressionGate } from '../../src/crds/regression-gate.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { deployArms, STABLE } from '../e2e/support/arms.ts';
import { fittingRate } from '../e2e/support/fitting-load.ts';
import { installFlamegate, regressionGate } from '../e2e/support/install.ts';
import { type Monitoring, startMonitoring } from '../e2e/support/monitoring.ts';
import { applyObjects } from '../e2e/support/orders.ts';

const NS = 'latency';
const CLEAN = 'clean';
const WAITING = 'waiting';
const LOAD_SECONDS = 1500;
const VERDICT_SECONDS = 1320;
// One order in twenty is large, and so one request in forty: each order asks for its stock. P99 falls amid them.
const ALL = { LARGE_ORDER_SHARE: '0.05' };
// With three pods an arm the lottery of pods is assumed to be so large that 12 ms of 80 could not be proven.
const REPLICAS = 5;
/** Of all cores: what queues for a CPU would be most of the latency otherwise. */
const PODS_PART = 0.4;
const ARMS = { [STABLE]: ALL, [CLEAN]: ALL, [WAITING]: { ...ALL, LARGE_ORDER_WAIT_MS: '12' } };
const POLICY = { cpu: { frequencyHz: 49 }, requests: { routes: ['/orders/{id}', '/stock/{sku}'] } };

describe('latency on a real cluster', () => {
  let load: Load;
  let monitoring: Monitoring;

  before(async () => {
    await installFlamegate();
    const groups = await deployArms(NS, { arms: ARMS, policy: POLICY, replicas: REPLICAS });
    load = startLoad(groups, await fittingRate({ namespace: NS, groups }, PODS_PART), LOAD_SECONDS);
    for (const canary of [CLEAN, WAITING]) applyObjects(gateOf(canary));
    monitoring = await startMonitoring();
  });

  after(async () => {
    await monitoring[Symbol.asyncDispose]();
    console.log(JSON.stringify(await load.stop()));
    await kubectl('delete', 'namespace', NS, '--wait=false');
  });

  test('the policy says that requests are seen', async () => {
    const row = await eventually('a word on requests', 180, async () => {
      const policy = await getJson<ProfilingPolicy>('profilingpolicy', 'shop', '-n', NS);
      return policy?.status?.workloads?.find(
        ({ name, requests }) => name === WAITING && requests !== undefined,
      );
    });

    assert.equal(row.requests, 'Seen', row.requestsMessage);
  });

  test('a canary whose slowest orders wait 12 ms longer fails by its latency, at the route of orders', async () => {
    const { gate, report } = await verdictOf(WAITING);

    assert.equal(gate.status?.verdict, 'Failed', gate.status?.summary);
    const regressed = gate.status.conditions?.find(({ type }) => type === 'Regressed');
    assert.deepEqual([regressed?.status, regressed?.reason], ['True', 'LatencyGrew']);
    const check = report.status?.checks?.find((each) => each.check === 'latency.p99');
    assert.equal(check?.verdict, 'Failed', check?.message);
    assert.match(check.subject ?? '', /\/orders\/\{id\}/);
  });

  test('Alertmanager hears of that canary and of no other', async () => {
    const alert = await eventually('an alert', 60, async () =>
      (await monitoring.alerts()).find(
        ({ alertname, gate }) => alertname === 'FlamegateCanaryRegressed' && gate === WAITING,
      ),
    );

    assert.equal(alert['k8s_namespace_name'], NS);
    assert.equal(alert['severity'], 'critical');
  });

  test('Prometheus has the requests by route, of both arms', async () => {
    const counted = await monitoring.query(
      `sum by (http_route, arm) (http_server_request_duration_seconds_count{k8s_namespace_name="${NS}"}
        * on (k8s_namespace_name, k8s_pod_name) group_left (arm)
        max by (k8s_namespace_name, k8s_pod_name, arm) (flamegate_gate_pod_info))`,
      'http_route',
      'arm',
    );
    console.log(JSON.stringify([...counted]));

    for (const arm of ['baseline', 'canary']) {
      for (const route of ['/orders/{id}', '/stock/{sku}']) assert.ok(counted.get(`${route} ${arm}`), route);
    }
  });

  test('the dashboard of the sample is answered from these pages, but for what nobody asked for', async () => {
    const silent: string[] = [];
    for (const { title, asked } of expressionsOf(grafanaDashboard()))
      if ((await monitoring.query(asked)).size === 0) silent.push(title);
    console.log(JSON.stringify(silent));

    for (const title of ['Verdicts', 'P99 by arm and route', 'P99', 'Requests a second', 'CPU of each agent'])
      assert.ok(!silent.includes(title), title);
  });

  test('a canary without a change does not fail', async () => {
    const { gate } = await verdictOf(CLEAN);

    assert.notEqual(gate.status?.verdict, 'Failed', gate.status?.summary);
  });
});

const gateOf = (canary: string): object =>
  regressionGate(NS, canary, {
    baseline: { podSelector: { matchLabels: { arm: STABLE } } },
    canary: { podSelector: { matchLabels: { arm: canary } } },
    checks: {
      cpu: { function: { margin: '3%' } },
      latency: [{ quantile: 'p99', margin: { relative: '5%', absolute: '3ms' }, required: true }],
    },
    // Fifteen JVMs that compile at once on two cores queue for a CPU for a minute or two.
    duration: { warmUp: '5m', min: '2m', deadline: '18m' },
  });

async function verdictOf(name: string): Promise<{ gate: RegressionGate; report: RegressionReport }> {
  const gate = await eventually(`the verdict of ${name}`, VERDICT_SECONDS, async () => {
    const seen = await getJson<RegressionGate>('regressiongate', name, '-n', NS);
    return ['Passed', 'Failed', 'Inconclusive'].includes(seen?.status?.verdict ?? '') ? seen : undefined;
  });
  const uid = gate.status?.evaluation?.report ?? '';
  const report = await getJson<RegressionReport>('regressionreport', uid, '-n', NS);
  assert.ok(report, 'the report of the evaluation exists');
  const checks = (report.status?.checks ?? []).map(({ check, message }) => `${check}: ${message ?? ''}`);
  console.log(`${name}: ${gate.status?.verdict}, ${gate.status?.summary}\n  ${checks.join('\n  ')}`);
  return { gate, report };
}
