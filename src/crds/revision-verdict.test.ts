import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aGate, aReport, type ReportFields } from '../controller/regression-gate/testing/a-cluster.ts';
import type { RegressionGate } from './regression-gate.ts';
import type { Culprit } from './regression-report.ts';
import { mayBeDecided, REVISION_HASH, revisionVerdict } from './revision-verdict.ts';

const at = '2026-01-01T12:05:00.000Z';
const decided = (verdict: 'Passed' | 'Failed' | 'Inconclusive', fields: ReportFields = {}) =>
  aReport({ ...fields, status: { verdict, reason: 'Why', message: `${verdict} it is`, decidedAt: at } });

/** `verdict reason[ against baseline][ open]` */
function said(
  reports: readonly ReturnType<typeof aReport>[],
  asked: Parameters<typeof revisionVerdict>[2],
  gate: RegressionGate = aGate(),
): string {
  const { verdict, reason, baseline, open } = revisionVerdict(gate, reports, asked);
  return `${verdict} ${reason}${baseline === undefined ? '' : ` against ${baseline}`}${open ? ' open' : ''}`;
}

test('the verdict of the canary that is named is said, with the pair it belongs to', () => {
  for (const verdict of ['Passed', 'Failed', 'Inconclusive'] as const) {
    assert.equal(said([decided(verdict)], { canary: 'bbb' }), `${verdict} Why against aaa`);
  }
  assert.equal(said([aReport()], { canary: 'bbb' }), 'Pending Collecting against aaa open');
});

test('another revision’s verdict is never said, nor a word of it', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Decided', message: 'Passed: canary bbb' } as const;
  const condition = { ...ready, lastTransitionTime: at };
  const gate = aGate({
    status: { verdict: 'Passed', summary: 'Passed: bbb is fine', conditions: [condition] },
  });
  const answer = revisionVerdict(gate, [decided('Passed')], { canary: 'ccc' });

  assert.equal(answer.verdict, 'Pending');
  assert.doesNotMatch(JSON.stringify(answer), /Passed|bbb|orders-cpu-1/);
});

test('what keeps the gate from comparing is said to who waits for it', () => {
  const ready = { type: 'Ready', status: 'False', reason: 'NotProfiled', message: 'no policy' } as const;
  const gate = aGate({ status: { conditions: [{ ...ready, lastTransitionTime: at }] } });

  assert.deepEqual(revisionVerdict(gate, [], { canary: 'bbb', baseline: 'aaa' }), {
    ...{ gate: 'shop/orders-cpu', canary: 'bbb', verdict: 'Pending', open: true, reason: 'NotProfiled' },
    message: 'canary bbb has not been compared against aaa: no policy',
  });
});

test('of several evaluations of a canary the newest counts, and with a baseline that of the pair', () => {
  const reports = [decided('Failed'), decided('Passed', { attempt: 2, baselineHash: 'zzz' })];

  assert.equal(said(reports, { canary: 'bbb' }), 'Passed Why against zzz');
  assert.equal(said(reports, { canary: 'bbb', baseline: 'aaa' }), 'Failed Why against aaa');
  assert.equal(said(reports, { canary: 'bbb', baseline: 'yyy' }), 'Pending NotCompared open');
});

test('a gate that was changed since compares anew', () => {
  const changed = aGate({ metadata: { ...aGate().metadata, generation: 2 } });
  const reports = [decided('Passed')];

  assert.equal(said(reports, { canary: 'bbb' }, changed), 'Pending GateChanged open');
  const anew = [...reports, decided('Failed', { attempt: 2, generation: 2 })];
  assert.equal(said(anew, { canary: 'bbb' }, changed), 'Failed Why against aaa');
});

test('a revision that passed, was promoted and comes back has to pass again, unless the pair is named', () => {
  const reports = [
    decided('Passed'),
    decided('Failed', { attempt: 2, baselineHash: 'bbb', canaryHash: 'ccc' }),
  ];

  assert.equal(said(reports, { canary: 'bbb' }), 'Pending EarlierRollout open');
  assert.equal(said(reports, { canary: 'bbb', baseline: 'aaa' }), 'Passed Why against aaa');
  const back = decided('Failed', { attempt: 3, baselineHash: 'ccc' });
  assert.equal(said([...reports, back], { canary: 'bbb' }), 'Failed Why against ccc');
});

test('Inconclusive that was said early may still become Failed, and says so', () => {
  const early = aReport({ status: { verdict: 'Inconclusive', reason: 'DeadlineOutOfReach' } });

  assert.equal(said([early], { canary: 'bbb' }), 'Inconclusive DeadlineOutOfReach against aaa open');
});

test('reports of other gates, and of a gate of the same name that is gone, say nothing', () => {
  const ofOther = decided('Passed');
  const reports = [
    { ...ofOther, spec: { ...ofOther.spec, gate: 'basket' } },
    { ...ofOther, metadata: { ...ofOther.metadata, ownerReferences: [{ uid: 'uid-of-one-before' }] } },
  ];

  assert.equal(said(reports, { canary: 'bbb' }), 'Pending NotCompared open');
});

test('the answer has the checks, and the three worst functions without their stacks', () => {
  const culprit = (name: string): Culprit => ({
    ...{ function: name, kind: 'Grown', baseline: '1%', canary: '9%', delta: '+8%' },
    ...{ interval: ['+6%', '+10%'], shareOfDelta: '90%', stack: ['a', 'b'], line: 7 },
  });
  const status = {
    ...({ verdict: 'Failed', culprits: ['a', 'b', 'c', 'd'].map(culprit) } as const),
    checks: [{ check: 'cpu.function', verdict: 'Failed', message: 'long', margin: '2%' }] as const,
  };
  const { checks, culprits } = revisionVerdict(
    aGate(),
    [aReport({ status: { ...status, checks: [...status.checks] } })],
    {
      canary: 'bbb',
    },
  );

  assert.deepEqual(checks, [{ check: 'cpu.function', verdict: 'Failed', margin: '2%' }]);
  assert.equal(culprits?.length, 3);
  assert.deepEqual(culprits[0], {
    ...{ function: 'a', kind: 'Grown', delta: '+8%', interval: ['+6%', '+10%'], line: 7 },
  });
});

test('whoever waits looks closer only when more than Collecting has been said of the canary', () => {
  const asked = { canary: 'bbb' };

  assert.equal(mayBeDecided('orders-cpu', [aReport()], asked), false);
  assert.equal(mayBeDecided('orders-cpu', [decided('Passed', { canaryHash: 'ccc' })], asked), false);
  assert.equal(mayBeDecided('basket', [decided('Passed')], asked), false);
  assert.equal(mayBeDecided('orders-cpu', [decided('Passed')], asked), true);
});

test('hashes of every kind of workload are hashes, and of several Deployments together', () => {
  for (const hash of ['6f7c9d5b8', 'web-6f7c9d5b8', '6f7c9d5b8.7d4b', 'a']) assert.match(hash, REVISION_HASH);
  for (const text of ['', '.', 'a/b', 'a b', '-a', 'a'.repeat(129)]) assert.doesNotMatch(text, REVISION_HASH);
});
