import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { GateAction } from '../../crds/gate-action.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { gateStatus } from '../regression-gate/gate-status.ts';
import { aDeploymentGate, aView, START_MS } from '../regression-gate/testing/a-cluster.ts';
import { exposeActions } from './action-metrics.ts';
import { actionEvents } from './action-status.ts';

const anAction = (state: GateAction['state'], reason: GateAction['reason'] = 'Failed'): GateAction => ({
  ...{ state, reason, message: 'because', revision: 'bbb', at: '2026-01-01T12:00:00Z' },
});

function aGateThat(acts: boolean, action?: GateAction): RegressionGate {
  const gate = aDeploymentGate(action === undefined ? {} : { status: { action } });
  return acts ? { ...gate, spec: { ...gate.spec, mode: 'HoldRollout' } } : gate;
}

function statusOf(gate: RegressionGate, action?: GateAction): NonNullable<RegressionGate['status']> {
  const arms = {
    kind: 'NoPair',
    target: 'Deployment/orders',
    reason: 'NoCanaryPods',
    message: 'none',
  } as const;
  const finding = { kind: 'Waiting', reason: 'NoCanaryPods', message: 'none' } as const;
  return gateStatus({ gate, arms, finding, shown: undefined, action }, START_MS);
}

test('RolloutStopped is True of what is held, paused or aborted, and absent of a gate that only reports', () => {
  const said = (gate: RegressionGate, action?: GateAction): string | undefined => {
    const found = statusOf(gate, action).conditions?.find(({ type }) => type === 'RolloutStopped');
    return found && `${found.status} ${found.reason}`;
  };

  assert.equal(said(aGateThat(false)), undefined);
  assert.equal(said(aGateThat(true)), 'False Idle');
  assert.equal(said(aGateThat(true), anAction('Holding')), 'True Held');
  assert.equal(said(aGateThat(true), anAction('Paused')), 'True Paused');
  assert.equal(said(aGateThat(true), anAction('Aborted')), 'True Aborted');
  assert.equal(said(aGateThat(true), anAction('Released', 'Passed')), 'False Released');
  assert.equal(said(aGateThat(true), anAction('Overruled', 'ResumedByOthers')), 'False Overruled');
});

test('what was done is an Event of the gate and of the workload, once', () => {
  const regarding = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'shop',
    name: 'orders',
    uid: 'u',
  };
  const events = (gate: RegressionGate, action?: GateAction) =>
    actionEvents(gate, { action, regarding }).map(
      ({ regarding: { kind }, type, reason }) => `${kind} ${type} ${reason}`,
    );

  assert.deepEqual(events(aGateThat(true), anAction('Paused')), [
    'RegressionGate Warning RolloutPaused',
    'Deployment Warning RolloutPaused',
  ]);
  assert.deepEqual(events(aGateThat(true, anAction('Paused')), anAction('Paused')), []);
  assert.deepEqual(events(aGateThat(true), anAction('Refused', 'NotPermitted')), [
    'RegressionGate Warning RolloutRefused',
  ]);
  assert.deepEqual(events(aGateThat(true)), []);
});

test('the metrics say of each gate that acts whether it stops a rollout, and count what was done', async () => {
  const withStatus = (gate: RegressionGate, action?: GateAction) => ({
    ...gate,
    status: statusOf(gate, action),
  });
  const registry = new Registry();
  const gates = [withStatus(aGateThat(true), anAction('Holding'))];
  const view = aView({ gates });
  exposeActions(registry, view)('pause', 'done');

  const text = await registry.metrics();
  assert.match(text, /^flamegate_gate_rollout_stopped\{k8s_namespace_name="shop",gate="orders-cpu"\} 1$/m);
  assert.match(text, /^flamegate_gate_actions_total\{action="pause",result="done"\} 1$/m);

  view.change({ gates: [withStatus(aGateThat(false))] });
  assert.doesNotMatch(await registry.metrics(), /^flamegate_gate_rollout_stopped\{/m);
});
