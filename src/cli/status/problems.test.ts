import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REGRESSION_GATE_CONDITIONS } from '../../crds/condition-types.ts';
import type { RegressionGate, RegressionGateStatus } from '../../crds/regression-gate.ts';
import { GATE_ADVICE } from './advice.ts';
import type { ClusterState, ControllerState } from './cluster-state.ts';
import { exitCodeOf, problemsOf } from './problems.ts';
import { aGate, aPolicy, aState, NOW_MS } from './state-fixture.ts';

const told = (state: ClusterState) =>
  problemsOf(state, NOW_MS).map(({ severity, what, reason }) => `${severity} ${what} ${reason}`);
const controller = (fields: Partial<ControllerState>): ClusterState => {
  const state = aState();
  assert.ok('known' in state.controller);
  return aState({ controller: { known: { ...state.controller.known, ...fields } } });
};

test('of an install that works, with a gate that compares, nothing is wrong', () => {
  const problems = problemsOf(aState(), NOW_MS);

  assert.deepEqual(problems, []);
  assert.equal(exitCodeOf(problems), 0);
});

test('each way in which an install is broken is told as that, and is exit code 4', () => {
  const broken: readonly (readonly [string, ClusterState])[] = [
    ['install KindsMissing', aState({ policies: NO_KINDS, gates: NO_KINDS, clusterPolicies: NO_KINDS })],
    ['controller NotInstalled', controller({ wanted: 0, ready: 0, leader: undefined, answers: undefined })],
    ['controller NotReady', controller({ ready: 0, answers: undefined })],
    ['controller NoLeader', controller({ leader: undefined })],
    ['controller NoLeader', controller({ leader: { pod: 'controller-a', renewedAtMs: NOW_MS - 90_000 } })],
    ['controller NotReachable', controller({ answers: { isSo: false, why: 'no port-forward' } })],
    ['agents NoneReady', aState({ agents: { known: { isThere: true, nodes: 3, ready: 0 } } })],
    ['agents DaemonSetMissing', aState({ agents: { known: { isThere: false, nodes: 0, ready: 0 } } })],
    ['gate shop/orders TargetNotFound', aState({ gates: { known: [aStalledGate()] } })],
  ];

  for (const [line, state] of broken) {
    assert.deepEqual(told(state), [`Broken ${line}`]);
    assert.equal(exitCodeOf(problemsOf(state, NOW_MS)), 4, line);
  }
});

const NO_KINDS = { unknown: 'its kinds are not installed' };

const aStalledGate = (): RegressionGate => {
  const said = { reason: 'TargetNotFound', message: 'there is no Deployment orders', lastTransitionTime: AT };
  return aGate({
    verdict: 'Waiting',
    conditions: [
      { ...said, type: 'Ready', status: 'False' },
      { ...said, type: 'Stalled', status: 'True' },
    ],
  });
};

const AT = '2026-11-26T10:00:00Z';
const FAILED: RegressionGateStatus = {
  ...{ verdict: 'Failed', summary: 'shop.Codec.encode grew by 6 % of CPU' },
  evaluation: { baseline: 'aaa', canary: 'bbb', attempt: 2, report: 'orders-2', startedAt: AT },
  conditions: [
    { type: 'Regressed', status: 'True', reason: 'FunctionGrew', message: 'it grew', lastTransitionTime: AT },
  ],
};

test('a regression is exit code 1 and names its report; an install that is broken comes before it', () => {
  const gates = { known: [aGate(FAILED)] };

  const problems = problemsOf(aState({ gates }), NOW_MS);
  const both = aState({ gates, agents: { known: { isThere: true, nodes: 3, ready: 0 } } });

  assert.deepEqual(problems, [
    {
      ...{ severity: 'Failed', what: 'gate shop/orders', reason: 'FunctionGrew' },
      ...{ message: 'shop.Codec.encode grew by 6 % of CPU', advice: 'flamegate report shop/orders-2' },
    },
  ]);
  assert.equal(exitCodeOf(problems), 1);
  assert.deepEqual(told(both), ['Broken agents NoneReady', 'Failed gate shop/orders FunctionGrew']);
  assert.equal(exitCodeOf(problemsOf(both, NOW_MS)), 4);
});

test('what somebody can do something about is a notice, and no failure', () => {
  const policy = aPolicy([
    { type: 'Ready', status: 'False', reason: 'NoPodsSelected', message: 'no pod carries app=orders' },
    { type: 'Capped', status: 'True', reason: 'InstallLimit', message: 'frequencyHz 199 was lowered to 49' },
    { type: 'SinksReady', status: 'False', reason: 'SinkUnknown', message: 'there is no sink loki' },
    { type: 'FlagsInjected', status: 'False', reason: 'NotRequested', message: 'mode is Never' },
  ]);
  const state = aState({
    policies: { known: [policy] },
    agents: { known: { isThere: true, nodes: 3, ready: 2 } },
  });

  assert.deepEqual(told(state), [
    'Notice agents SomeMissing',
    'Notice policy shop/jvms NoPodsSelected',
    'Notice policy shop/jvms InstallLimit',
    'Notice policy shop/jvms SinkUnknown',
  ]);
  assert.equal(exitCodeOf(problemsOf(state, NOW_MS)), 0);
});

test('a gate that begins has no samples yet; that it still has none after its warm-up is a notice', () => {
  const begunBefore = (ms: number) => {
    const startedAt = new Date(NOW_MS - ms).toISOString();
    const conditions = [
      {
        type: 'DataSufficient',
        status: 'False',
        reason: 'NoSamples',
        message: 'none',
        lastTransitionTime: AT,
      },
    ] as const;
    const evaluation = { baseline: 'aaa', canary: 'bbb', attempt: 2, report: 'orders-2', startedAt };
    const gate = aGate({ verdict: 'Collecting', evaluation, conditions: [...conditions] });
    return told(aState({ gates: { known: [gate] } })); // its warm-up is a minute
  };

  assert.deepEqual(begunBefore(110_000), []);
  assert.deepEqual(begunBefore(130_000), ['Notice gate shop/orders NoSamples']);
});

test('what all policies say of agents and of losses is told once', () => {
  const policy = aPolicy(
    [
      {
        type: 'AgentsReady',
        status: 'False',
        reason: 'NoneReported',
        message: '0 of 3 agents have reported',
      },
    ],
    '7.25%',
  );
  const state = aState({ policies: { known: [policy, policy, policy] } });

  assert.deepEqual(told(state), ['Notice agents NoneReported', 'Notice agents TooMuchLoss']);
});

test('a reason is only wrong with the status that makes it so', () => {
  const condition = {
    type: 'DataSufficient',
    reason: 'TooFewPods',
    message: '2 of 3',
    lastTransitionTime: AT,
  };
  const of = (status: 'True' | 'False' | 'Unknown') =>
    told(aState({ gates: { known: [aGate({ conditions: [{ ...condition, status }] })] } }));

  assert.deepEqual(of('False'), ['Notice gate shop/orders TooFewPods']);
  assert.deepEqual([of('Unknown'), of('True')], [[], []]);
});

test('a reason of a version that is not ours is no problem by itself, a gate that is Stalled always is', () => {
  const said = { reason: 'constructor', message: 'of tomorrow', lastTransitionTime: AT };
  const gates = {
    known: [
      aGate({
        conditions: [
          { ...said, type: 'Ready', status: 'False' },
          { ...said, type: 'Stalled', status: 'True' },
        ],
      }),
    ],
  };

  assert.deepEqual(told(aState({ gates })), ['Broken gate shop/orders constructor']);
});

test('parts that may not be read are not called wrong', () => {
  const forbidden = { unknown: 'User "ann" cannot list resource "deployments"' };

  assert.deepEqual(
    told(aState({ controller: forbidden, agents: forbidden, clusterPolicies: forbidden })),
    [],
  );
});

test('every Stalled gate is told what to do', () => {
  for (const reason of REGRESSION_GATE_CONDITIONS.Stalled) assert.ok(GATE_ADVICE.Stalled[reason]);
});
