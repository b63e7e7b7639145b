import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CERTIFY_ANNOTATION, type GateCertification } from '../../crds/certification.ts';
import { gateSettings } from '../../crds/gate-settings.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { certificationAim, certifiedCondition } from './certification.ts';
import { gateEvents } from './gate-events.ts';
import { gateStatus } from './gate-status.ts';
import { aGate, metadata, START_MS } from './testing/a-cluster.ts';

const aCertification = (fields: Partial<GateCertification> = {}): GateCertification => ({
  summary: '0 of 220 placebos failed; sees ≥ 1.2 % of CPU in 10 min with 3 canary pods',
  at: new Date(START_MS).toISOString(),
  generation: 1,
  baseline: 'aaa',
  pods: 12,
  windows: 4_000,
  span: '1h',
  placebos: { run: 220, failed: 0, passed: 200, inconclusive: 20, pods: 12, canaryPods: 3, lookedAt: '30m' },
  podVarianceFactor: '1',
  plan: [{ canaryPods: 3, at: '10m', cpu: '1.2%', sameAfter: '10m', marginAfter: '22m' }],
  ...fields,
});

const gateWith = (certification?: GateCertification, annotation?: string): RegressionGate =>
  aGate({
    metadata: {
      ...metadata('orders-cpu'),
      ...(annotation === undefined ? {} : { annotations: { [CERTIFY_ANNOTATION]: annotation } }),
    },
    ...(certification === undefined ? {} : { status: { certification } }),
  });

const aimOf = (gate: RegressionGate, hash = 'aaa', afterMs = 0) =>
  certificationAim(gate, { hash, pods: [] }, gateSettings(gate.spec), START_MS + afterMs);

test('a gate certifies itself when it never has, of other pods, of another spec, a day later, and when asked', () => {
  const known = gateWith(aCertification());

  assert.ok(aimOf(gateWith()));
  assert.equal(aimOf(known), undefined);
  assert.ok(aimOf(known, 'bbb'));
  assert.ok(aimOf(gateWith(aCertification({ generation: 0 }))));
  assert.equal(aimOf(known, 'aaa', 23 * 3_600_000), undefined);
  assert.ok(aimOf(known, 'aaa', 25 * 3_600_000));
  assert.equal(aimOf(gateWith(aCertification(), 'monday'))?.request, 'monday');
  const answered = gateWith(aCertification({ request: 'monday' }), 'monday');
  assert.equal(aimOf(answered), undefined);
  assert.equal(aimOf(answered, 'bbb')?.request, 'monday', 'an answered request stays answered');
});

test('the condition says what was found, and what is in the way of finding it', () => {
  const said = (
    ...[certification, certifying]: [GateCertification?, Parameters<typeof certifiedCondition>[2]?]
  ) => {
    const condition = certifiedCondition(aGate(), certification, certifying);
    return condition && `${condition.status} ${condition.reason}`;
  };
  const failing = aCertification({
    placebos: { ...aCertification().placebos, failed: 3 },
  });

  assert.equal(said(), undefined);
  assert.equal(said(aCertification()), 'True PlacebosPassed');
  assert.equal(said(aCertification({ placebos: { ...failing.placebos, failed: 2 } })), 'True PlacebosPassed');
  assert.equal(said(failing), 'False PlacebosFailed');
  assert.equal(said(undefined, { kind: 'Running', message: '' }), 'Unknown Certifying');
  assert.equal(said(failing, { kind: 'Waiting', reason: 'TooFewPods', message: '' }), 'Unknown TooFewPods');
});

test('what was found goes into the status and one Event, and stays there when nothing new is known', () => {
  const certification = aCertification({ summary: 'seen' });
  const facts = {
    arms: { kind: 'NoPair', target: 'x', reason: 'NoCanaryPods', message: 'none' } as const,
    finding: { kind: 'Waiting', reason: 'NoCanaryPods', message: 'none' } as const,
    shown: undefined,
  };
  const before = gateWith();

  const after = gateStatus({ ...facts, gate: before, certifying: { kind: 'Done', certification } }, START_MS);
  const later = gateStatus({ ...facts, gate: { ...before, status: after } }, START_MS + 60_000);

  assert.equal(after.certification, certification);
  assert.deepEqual(
    after.conditions?.map(({ type, reason }) => `${type} ${reason}`),
    ['Ready WaitingForCanary', 'BaselineResolved NoCanaryPods', 'Certified PlacebosPassed'],
  );
  assert.deepEqual(
    gateEvents(before, after).map(({ reason, note }) => `${reason} ${note}`),
    ['PlacebosPassed seen'],
  );
  assert.deepEqual(later, after);
  assert.deepEqual(gateEvents({ ...before, status: after }, later), []);
});
