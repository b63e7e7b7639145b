import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionReportStatus, ReportCheck } from '../../crds/regression-report.ts';
import { gateStatus } from './gate-status.ts';
import { aGate, aPod, aReport, START_MS } from './testing/a-cluster.ts';

const arm = (hash: string) => ({ hash, images: ['orders:1'], pods: [aPod({ name: hash })] });
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

function shownOf(culprits: readonly Culprit[]) {
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
  const status: RegressionReportStatus = { verdict: 'Passed', checks: [check], culprits: [...culprits] };
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
