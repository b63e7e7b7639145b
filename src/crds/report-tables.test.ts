import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeftOutPod, RegressionReportStatus } from './regression-report.ts';
import { culpritsTitle, leftOutTable, notesTable, routeTables } from './report-tables.ts';

const FAILED: RegressionReportStatus = {
  verdict: 'Failed',
  checks: [
    { check: 'latency.p50', verdict: 'Inconclusive', falseFailureRate: '0.25%' },
    { check: 'latency.p99', verdict: 'Failed', falseFailureRate: '0.25%' },
    { check: 'cpu.perRequest', verdict: 'Failed' },
  ],
};

const aLeftOut = (pod: string, fields: Partial<LeftOutPod> = {}): LeftOutPod => ({
  ...{ pod, check: 'latency.p99', effect: '+12.3ms', lower: '+6.1ms', upper: '+18.5ms' },
  verdictWithout: 'Failed',
  ...fields,
});

test('a verdict that stands without any pod is one sentence', () => {
  const leaveOnePodOut = [aLeftOut('a'), aLeftOut('b', { effect: '+9.8ms' }), aLeftOut('c')];

  assert.deepEqual(leftOutTable({ ...FAILED, leaveOnePodOut }), {
    title: 'Without each single canary pod',
    header: [],
    rows: [],
    notes: ['latency.p99: Failed without any one of 3 pods, at a change of +9.8 to +12.3ms.'],
  });
});

test('a verdict that falls without a pod names every pod', () => {
  const leaveOnePodOut = [aLeftOut('a'), aLeftOut('b', { effect: '+1.0ms', verdictWithout: 'Inconclusive' })];

  assert.deepEqual(leftOutTable({ ...FAILED, leaveOnePodOut }).rows, [
    ['latency.p99', '+12.3ms (+6.1 to +18.5ms)', 'Failed', 'a'],
    ['latency.p99', '+1.0ms (+6.1 to +18.5ms)', 'Inconclusive', 'b'],
  ]);
});

test('routes are shown of the check that failed, and of none that did not', () => {
  const routes = ['latency.p50', 'latency.p99'].map((check) => ({
    ...{ check, route: 'GET /', requests: 1_234, grown: check === 'latency.p99' },
  }));

  const [table, ...others] = routeTables({ ...FAILED, routes });

  assert.equal(table?.title, 'latency.p99 by route');
  assert.deepEqual(table.rows, [['1,234', '-', '-', '-', 'yes', 'GET /']]);
  assert.deepEqual(others, []);
});

test('CPU beside requests that failed is never called their cause; CPU per request that has no vote does not count', () => {
  assert.match(culpritsTitle(FAILED), /co-occurring, not shown to be the cause$/);
  const checks = FAILED.checks?.filter(({ check }) => check !== 'latency.p99');

  assert.equal(culpritsTitle({ ...FAILED, checks: [...(checks ?? [])] }), 'Functions that grew');
});

test('a flag nobody explained is still told', () => {
  const { notes } = notesTable({ flags: ['UnheardOf'], folded: ['stacks end after 8 frames'] });

  assert.deepEqual(notes, ['UnheardOf', 'Left out for size: stacks end after 8 frames.']);
});
