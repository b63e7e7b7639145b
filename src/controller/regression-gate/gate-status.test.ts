import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReportStatus, ReportCheck } from '../../crds/regression-report.ts';
import { gateStatus } from './gate-status.ts';
import { aGate, aPod, aReport, START_MS } from './testing/a-cluster.ts';

const arm = (hash: string) => ({
  ...{ hash, images: ['orders:1'], builtFrom: {} },
  pods: [aPod({ name: hash })],
});
type Culprit = NonNullable<RegressionReportStatus['culprits']>[number];

const aCulprit = (fields: Partial<Culprit>): Culprit => ({
  function: 'shop.Codec.encode',
  kind: 'Grown',
  baseline: '1%',
  canary: '6%',
  delta: '+5%',
  interval: ['+4%', '+6%'],
  shareOfDelta: '100%',
  stack: [],
  ...fields,
});

function shownOf(culprits: readonly Culprit[], more: Partial<RegressionReportStatus> = {}) {
  const { spec, metadata } = aReport();
  const check: ReportCheck = {
    check: 'cpu.function',
    subject: 'shop.Orders.find',
    baseline: '9%',
    canary: '9.2%',
    delta: '+0.2%',
    interval: ['-1%', '+1.4%'],
    margin: '2%',
    detectable: '2.5%',
    verdict: 'Passed',
  };
  const status: RegressionReportStatus = {
    verdict: 'Passed',
    checks: [check],
    culprits: [...culprits],
    ...more,
  };
  const arms = { kind: 'Pair', target: 'x vs y', baseline: arm('aaa'), canary: arm('bbb') } as const;
  const shown = { report: metadata.name, spec, status };
  return gateStatus({ gate: aGate(), arms, finding: { kind: 'Decided' }, shown }, START_MS);
}

test('the columns show the first culprit that grew', () => {
  const { worst, cpuDelta } = shownOf([
    aCulprit({ kind: 'Moved', function: 'shop.Renamed.run' }),
    aCulprit({}),
  ]);

  assert.deepEqual({ worst, cpuDelta }, { worst: 'Codec.encode', cpuDelta: '+5%' });
});

test('where all that grew is cost that moved, the columns show what the check rests on', () => {
  const { worst, cpuDelta } = shownOf([aCulprit({ kind: 'Moved', function: 'shop.Renamed.run' })]);

  assert.deepEqual({ worst, cpuDelta }, { worst: 'Orders.find', cpuDelta: '+0.2%' });
});

const aLatency = (check: string, fields: Partial<ReportCheck> = {}): ReportCheck => ({
  check,
  subject: 'GET /orders/{}',
  baseline: '80.1ms',
  canary: '92.6ms',
  delta: '+12.5ms',
  interval: ['+4.1ms', '+21.3ms'],
  margin: '8.01ms',
  detectable: '11.2ms',
  verdict: 'Failed',
  ...fields,
});

test('a canary that answers slower is regressed, and its column shows the highest quantile', () => {
  const checks = [aLatency('latency.p99'), aLatency('latency.p50', { delta: '+0.1ms' }), aLatency('errors')];
  const { conditions, latencyDelta } = shownOf([], { verdict: 'Failed', reason: 'LatencyGrew', checks });

  assert.equal(latencyDelta, '+12.5ms');
  const regressed = conditions?.find(({ type }) => type === 'Regressed');
  assert.deepEqual([regressed?.status, regressed?.reason], ['True', 'LatencyGrew']);
});

test('requests that cannot be seen leave their column empty', () => {
  const unseen: ReportCheck = { check: 'latency.p99', verdict: 'NotObservable', message: 'TLS in the JVM' };

  assert.equal(shownOf([], { checks: [unseen] }).latencyDelta, undefined);
});
