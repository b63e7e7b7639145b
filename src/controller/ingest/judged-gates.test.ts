/** How long windows of a node are: by whether its pods are judged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUT_OF_REACH } from '../regression-gate/gate-evidence.ts';
import {
  aDeployment,
  aDeploymentGate,
  aPod,
  aPolicy,
  aReplicaSet,
  aReport,
  aView,
  START_MS,
} from '../regression-gate/testing/a-cluster.ts';
import { planAssignment } from './testing/plan-assignment.ts';

const WAITS_5_MS = { enabled: true, minDuration: '5ms' };

test('windows are of ten seconds where it is looked at what threads wait for, or read and write', () => {
  for (const spec of [{}, { offCpu: WAITS_5_MS }, { io: WAITS_5_MS }]) {
    const view = aView({ pods: [aPod()], policies: [aPolicy({ spec })] });
    const expected = Object.keys(spec).length === 0 ? 30_000 : 10_000;
    assert.equal(planAssignment(view, 'node-a', 'store-0001').windowMs, expected, JSON.stringify(spec));
  }
});

test('windows are of ten seconds on nodes whose pods are judged, and of a look on others', () => {
  const rolledOut = {
    ...{ policies: [aPolicy()], gates: [aDeploymentGate()], deployments: [aDeployment()] },
    replicaSets: [
      aReplicaSet({ hash: 'aaa', revision: 1 }),
      aReplicaSet({ hash: 'bbb', revision: 2, image: 'orders:2' }),
    ],
  };
  const old = aPod({ name: 'old', owner: 'uid-orders-aaa' });
  const canary = aPod({ name: 'new', owner: 'uid-orders-bbb', node: 'node-b' });
  const stray = aPod({ name: 'stray', node: 'node-c' });
  const decided = { verdict: 'Passed', decidedAt: new Date(START_MS).toISOString() } as const;
  const outOfReach = { verdict: 'Inconclusive', reason: OUT_OF_REACH } as const;
  const secondsOf = (parts: Parameters<typeof aView>[0]) =>
    ['node-a', 'node-b', 'node-c'].map(
      (node) => planAssignment(aView({ ...rolledOut, ...parts }), node, 'store-0001').windowMs / 1_000,
    );
  const both = { pods: [old, canary, stray] };

  assert.deepEqual(secondsOf({ pods: [old, stray] }), [30, 30, 30], 'no canary');
  assert.deepEqual(secondsOf(both), [10, 10, 30], 'a canary, and no report yet');
  assert.deepEqual(secondsOf({ ...both, reports: [aReport()] }), [10, 10, 30], 'being judged');
  assert.deepEqual(secondsOf({ ...both, reports: [aReport({ status: outOfReach })] }), [10, 10, 30]);
  assert.deepEqual(secondsOf({ ...both, reports: [aReport({ status: decided })] }), [30, 30, 30], 'decided');
  assert.deepEqual(secondsOf({ pods: [canary], reports: [aReport()] }), [30, 10, 30], 'its baseline is gone');
  assert.deepEqual(secondsOf({ pods: [canary] }), [30, 30, 30], 'there was never a report');
});
