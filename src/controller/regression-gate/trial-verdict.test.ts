import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aCanary, aCanaryGate, ON_TRIAL } from './testing/a-canary.ts';
import { aDeploymentGate, aReport, aView, type Cluster, metadata } from './testing/a-cluster.ts';
import { trialVerdict } from './trial-verdict.ts';

const saidOf = (cluster: Partial<Cluster>, canary = 'orders', namespace = 'shop'): string =>
  trialVerdict(namespace, canary, aView({ ...ON_TRIAL, ...cluster })).said;

const decidedAt = '2026-01-01T12:05:00.000Z';
const PASSED = aReport({ status: { verdict: 'Passed', decidedAt } });
const FAILED = aReport({ status: { verdict: 'Failed', decidedAt } });

test('what the gate of a Canary says of the revision on trial is said', () => {
  assert.equal(saidOf({ reports: [PASSED] }), 'Passed');
  assert.equal(saidOf({ reports: [FAILED] }), 'Failed');
  assert.equal(saidOf({ reports: [aReport()] }), 'Undecided');
  assert.equal(saidOf({}), 'Undecided');
});

test('it is said of which revision, by the number that its Deployment has of it', () => {
  const verdict = trialVerdict('shop', 'orders', aView({ ...ON_TRIAL, reports: [PASSED] }));

  const trial = { canary: 'bbb', baseline: 'aaa', deployment: 'orders', revision: 2 };
  assert.deepEqual(verdict, { said: 'Passed', trial });
});

test('no verdict of another pair of revisions is said, and none of a gate as it was before', () => {
  const status = { verdict: 'Passed', decidedAt } as const;
  for (const other of [{ canaryHash: 'old' }, { baselineHash: 'zzz' }, { generation: 7 }]) {
    assert.equal(saidOf({ reports: [aReport({ ...other, status })] }), 'Undecided', JSON.stringify(other));
  }
});

test('while nothing is on trial nothing is said, whatever there is of the revision', () => {
  for (const phase of ['', 'Initialized', 'Promoting', 'Finalising', 'Succeeded', 'Failed']) {
    assert.equal(saidOf({ targets: aCanary(phase), reports: [FAILED] }), 'Undecided', phase);
  }
  for (const phase of ['Progressing', 'Waiting', 'WaitingPromotion']) {
    assert.equal(saidOf({ targets: aCanary(phase), reports: [FAILED] }), 'Failed', phase);
  }
  assert.equal(saidOf({ deployments: [], reports: [FAILED] }), 'Undecided');
});

test('what is not there, or is about something else, is undecided', () => {
  const reports = [PASSED];

  assert.equal(saidOf({ reports }, 'basket'), 'Undecided');
  assert.equal(saidOf({ reports }, 'orders', 'elsewhere'), 'Undecided');
  assert.equal(saidOf({ reports, gates: [] }), 'Undecided');
  assert.equal(saidOf({ reports, gates: [aDeploymentGate()] }), 'Undecided', 'a gate of the Deployment');
});

test('of several gates all have to pass, and one is enough to fail', () => {
  const gates = [aCanaryGate(), aCanaryGate({}, 'orders-latency')];
  const { metadata: ofReport, ...report } = PASSED;
  const other = (verdict: 'Passed' | 'Failed') => ({
    ...{ ...report, status: { verdict, decidedAt }, spec: { ...report.spec, gate: 'orders-latency' } },
    metadata: { ...metadata('orders-latency-1'), ownerReferences: [{ uid: 'uid-orders-latency' }] },
  });
  assert.deepEqual(ofReport.ownerReferences, [{ uid: 'uid-orders-cpu' }]);

  assert.equal(saidOf({ gates, reports: [PASSED] }), 'Undecided');
  assert.equal(saidOf({ gates, reports: [PASSED, other('Passed')] }), 'Passed');
  assert.equal(saidOf({ gates, reports: [PASSED, other('Failed')] }), 'Failed');
  assert.equal(saidOf({ gates, reports: [other('Failed')] }), 'Failed');
});

test('what could not be decided is what the gate says it is, and nothing before the deadline', () => {
  const of = (onInconclusive: 'Pass' | 'Hold' | 'Fail' | undefined, at: string | undefined) =>
    saidOf({
      gates: [aCanaryGate(onInconclusive === undefined ? {} : { onInconclusive })],
      reports: [aReport({ status: { verdict: 'Inconclusive', ...(at && { decidedAt: at }) } })],
    });

  assert.deepEqual(
    [of(undefined, decidedAt), of('Hold', decidedAt), of('Pass', decidedAt), of('Fail', decidedAt)],
    ['Undecided', 'Undecided', 'Passed', 'Failed'],
  );
  assert.deepEqual([of('Pass', undefined), of('Fail', undefined)], ['Undecided', 'Undecided']);
});
