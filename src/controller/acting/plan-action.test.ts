import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateAction } from '../../crds/gate-action.ts';
import type { RegressionGateSpec } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { aDeploymentGate, aReport, metadata, START_MS } from '../regression-gate/testing/a-cluster.ts';
import type { PauseMark } from './pause-mark.ts';
import { planAction, planWithoutGate } from './plan-action.ts';
import type { Steered } from './steered.ts';

const HELD_MS = START_MS;
const AT = new Date(HELD_MS).toISOString();

/** A Deployment that rolls out bbb beside aaa. */
const aTarget = (fields: Partial<Steered> = {}): Steered => ({
  ...{ kind: 'Deployment', namespace: 'shop', name: 'orders', uid: 'u', resourceVersion: '7' },
  ...{ revision: 'bbb', baseline: 'aaa', isRollingOut: true, isRollback: false, asksForAnother: false },
  ...{
    isPaused: false,
    isPausedByUs: false,
    hasOtherOwner: false,
    mark: undefined,
    isAborted: false,
    isAbortedByUs: false,
  },
  ...fields,
});

const aMark = (fields: Partial<PauseMark> = {}): PauseMark => ({
  ...{ gate: 'orders-cpu', revision: 'bbb', since: AT, why: 'Undecided' },
  ...fields,
});

const heldBy = (mark: Partial<PauseMark> = {}, more: Partial<Steered> = {}): Steered =>
  aTarget({ isPaused: true, isPausedByUs: true, mark: aMark(mark), ...more });

const decided = (verdict: 'Passed' | 'Failed' | 'Inconclusive', fields = {}): RegressionReport =>
  aReport({ status: { verdict, message: 'encode grew', decidedAt: AT }, ...fields });

const early = aReport({ status: { verdict: 'Inconclusive', reason: 'DeadlineOutOfReach' } });

const anAction = (state: GateAction['state'], fields: Partial<GateAction> = {}): GateAction => ({
  ...{ state, reason: 'Undecided', message: 'said before', revision: 'bbb', at: AT },
  ...fields,
});

type Acting = Pick<RegressionGateSpec, 'mode' | 'onFailed' | 'onInconclusive'>;

interface Case {
  readonly spec?: Acting;
  readonly target?: Steered;
  readonly report?: RegressionReport;
  readonly before?: GateAction;
  readonly afterMs?: number;
}

const HOLD: Acting = { mode: 'HoldRollout' };

/** The step, and what the status says: `pause Undecided → Holding Undecided`. */
function planned({ spec = HOLD, target = aTarget(), report, before, afterMs = 0 }: Case): string {
  const gate = aDeploymentGate({
    metadata: metadata('orders-cpu'),
    ...(before === undefined ? {} : { status: { action: before } }),
  });
  const { step, says } = planAction({
    gate: { ...gate, spec: { ...gate.spec, ...spec } },
    target,
    reports: report === undefined ? [] : [report],
    nowMs: HELD_MS + afterMs,
  });
  const what = step.kind === 'pause' ? `pause ${step.mark.why}` : step.kind;
  return says === undefined ? what : `${what} → ${says.state} ${says.reason}`;
}

const DEADLINE_MS = 30 * 60_000;

test('a gate that only reports does nothing, whatever is found', () => {
  assert.equal(planned({ spec: {}, report: decided('Failed') }), 'none');
  assert.equal(planned({ spec: {} }), 'none');
});

test('a new revision is held until it is decided', () => {
  assert.equal(planned({}), 'pause Undecided → Holding Undecided');
  assert.equal(planned({ target: heldBy() }), 'none → Holding Undecided');
  assert.equal(planned({ target: heldBy(), report: aReport() }), 'none → Holding Undecided');
});

test('what rolls nothing out, has no ReplicaSet yet, or goes back is not held', () => {
  assert.equal(planned({ target: aTarget({ isRollingOut: false }) }), 'none');
  assert.equal(planned({ target: aTarget({ asksForAnother: true }) }), 'none');
  assert.equal(planned({ target: aTarget({ isRollback: true }) }), 'none → LeftAlone Rollback');
});

test('a held revision that passed is released, one that failed stays paused and says how to go back', () => {
  assert.equal(planned({ target: heldBy(), report: decided('Passed') }), 'release → Released Passed');
  assert.equal(planned({ target: heldBy(), report: decided('Failed') }), 'pause Failed → Paused Failed');
  assert.equal(
    planned({ target: heldBy({ why: 'Failed' }), report: decided('Failed') }),
    'none → Paused Failed',
  );
  const gate = aDeploymentGate();
  const { says } = planAction({
    ...{ gate: { ...gate, spec: { ...gate.spec, ...HOLD } }, target: heldBy(), reports: [decided('Failed')] },
    nowMs: HELD_MS,
  });
  assert.equal(
    says?.undo,
    'kubectl rollout resume -n shop deployment/orders && kubectl rollout undo -n shop deployment/orders',
  );
});

test('a held revision of which nothing was proven goes on, stays, or is treated as failed, as the gate says', () => {
  const report = decided('Inconclusive');
  const of = (onInconclusive: NonNullable<Acting['onInconclusive']>) =>
    planned({ spec: { ...HOLD, onInconclusive }, target: heldBy(), report });

  assert.equal(of('Pass'), 'release → Released Inconclusive');
  assert.equal(of('Hold'), 'pause Inconclusive → Paused Inconclusive');
  assert.equal(of('Fail'), 'pause Inconclusive → Paused Inconclusive');
  assert.equal(planned({ target: heldBy(), report }), of('Hold'));
});

test('Inconclusive that is said early is not acted on, since it may still become Failed', () => {
  const spec: Acting = { ...HOLD, onInconclusive: 'Pass' };
  assert.equal(planned({ spec, target: heldBy(), report: early }), 'none → Holding Undecided');
});

test('a hold in which nothing could be compared ends at the deadline as Inconclusive', () => {
  const late = { target: heldBy(), afterMs: DEADLINE_MS };
  const spec: Acting = { ...HOLD, onInconclusive: 'Pass' };

  assert.equal(planned({ target: heldBy(), afterMs: DEADLINE_MS - 1 }), 'none → Holding Undecided');
  assert.equal(planned({ ...late, spec }), 'release → Released NothingCompared');
  assert.equal(planned(late), 'pause NothingCompared → Paused NothingCompared');
  assert.equal(planned({ ...late, spec, report: aReport() }), 'none → Holding Undecided');
});

test('a verdict of another pair or of the gate as it was before is nobody’s reason to act', () => {
  for (const fields of [{ canaryHash: 'ccc' }, { baselineHash: 'zzz' }, { generation: 7 }]) {
    const report = decided('Passed', fields);
    assert.equal(planned({ target: heldBy(), report }), 'none → Holding Undecided', JSON.stringify(fields));
  }
});

test('somebody who resumes wins until there is another revision', () => {
  const before = anAction('Holding');
  assert.equal(planned({ before }), 'none → Overruled ResumedByOthers');
  assert.equal(planned({ target: aTarget({ mark: aMark() }) }), 'none → Overruled ResumedByOthers');
  const overruled = anAction('Overruled', { reason: 'ResumedByOthers' });
  assert.equal(planned({ before: overruled, report: decided('Failed') }), 'none → Overruled ResumedByOthers');
  assert.equal(
    planned({ before: overruled, target: aTarget({ revision: 'ccc' }) }),
    'pause Undecided → Holding Undecided',
  );
});

test('a pause that somebody else set is left to them', () => {
  const target = aTarget({ isPaused: true });
  assert.equal(planned({ target }), 'none → LeftAlone PausedByOthers');
  assert.equal(planned({ target, report: decided('Passed') }), 'none');
  assert.equal(planned({ target: heldBy({ gate: 'another' }) }), 'none → LeftAlone HeldByAnotherGate');
});

test('a newer template releases the pause of the revision before, even of one that failed', () => {
  const target = heldBy({ why: 'Failed' }, { asksForAnother: true });
  assert.equal(planned({ target, report: decided('Failed') }), 'release → Released NewerRevision');
  assert.equal(planned({ target: heldBy({ revision: 'old' }) }), 'release → Released NewerRevision');
});

test('a released revision is not held again, but a later verdict may still stop it', () => {
  const before = anAction('Released', { reason: 'Passed', report: 'orders-cpu-1' });
  assert.equal(planned({ before, report: decided('Passed') }), 'none → Released Passed');
  assert.equal(planned({ before }), 'none → Released Passed');
  const later = decided('Failed', { attempt: 2 });
  assert.equal(planned({ before, report: later }), 'pause Failed → Paused Failed');
});

test('a gate that stopped acting, or is gone, releases what it only held, and nothing that is worse', () => {
  assert.equal(planned({ spec: {}, target: heldBy() }), 'release → Released GateChanged');
  assert.equal(planned({ spec: {}, target: heldBy({ why: 'Failed' }) }), 'none');
  assert.deepEqual(planWithoutGate(heldBy()), { kind: 'release' });
  assert.deepEqual(planWithoutGate(heldBy({ why: 'Failed' })), { kind: 'none' });
  assert.deepEqual(planWithoutGate(aTarget({ isPaused: true, mark: aMark() })), { kind: 'none' });
});

test('a Failed rollout is paused or aborted where the gate says so, while there is something to stop', () => {
  const report = decided('Failed');
  const target = aTarget({ kind: 'Rollout' });
  const abort: Acting = { onFailed: 'Abort' };

  assert.equal(planned({ spec: { onFailed: 'Pause' }, report }), 'pause Failed → Paused Failed');
  assert.equal(planned({ spec: { onFailed: 'Pause' } }), 'none');
  assert.equal(planned({ spec: abort, target, report }), 'abort → Aborted Failed');
  assert.equal(planned({ spec: abort, target, report: decided('Inconclusive') }), 'none');
  assert.equal(
    planned({ spec: { ...abort, onInconclusive: 'Fail' }, target, report: decided('Inconclusive') }),
    'abort → Aborted Inconclusive',
  );
  assert.equal(
    planned({ spec: abort, target: { ...target, isAborted: true }, report }),
    'none → LeftAlone AbortedByOthers',
  );
  assert.equal(
    planned({ spec: abort, target: { ...target, isAborted: true, isAbortedByUs: true }, report }),
    'none → Aborted Failed',
  );
  assert.equal(
    planned({ spec: abort, target: { ...target, isRollingOut: false }, report }),
    'none → LeftAlone RolledOut',
  );
});

test('an aborted revision that somebody retries is theirs', () => {
  const before = anAction('Aborted', { reason: 'Failed', report: 'orders-cpu-1' });
  const spec: Acting = { onFailed: 'Abort' };
  const target = aTarget({ kind: 'Rollout', isAborted: true });
  const report = decided('Failed');

  assert.equal(planned({ spec, target, report, before }), 'none → Aborted Failed');
  assert.equal(
    planned({ spec, target: { ...target, isAborted: false }, report, before }),
    'none → Overruled RetriedByOthers',
  );
});

test('what is planned is the same again once it is done', () => {
  const cases: readonly Case[] = [
    {},
    { target: heldBy(), report: decided('Failed') },
    { target: heldBy(), afterMs: DEADLINE_MS },
  ];
  for (const each of cases) {
    const gate = aDeploymentGate();
    const reports = each.report === undefined ? [] : [each.report];
    const facts = {
      ...{ gate: { ...gate, spec: { ...gate.spec, ...HOLD } }, target: each.target ?? aTarget(), reports },
      nowMs: HELD_MS + (each.afterMs ?? 0),
    };
    const first = planAction(facts);
    assert.ok(first.step.kind === 'pause');

    const again = planAction({
      ...facts,
      gate: { ...facts.gate, status: first.says === undefined ? {} : { action: first.says } },
      target: heldBy(first.step.mark),
      nowMs: facts.nowMs + 1,
    });

    assert.deepEqual(again, { step: { kind: 'none' }, says: first.says });
  }
});
