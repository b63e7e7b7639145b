import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCondition } from '../../kube/conditions.ts';
import { decide } from './decide.ts';
import { flagsInjected } from './decide-flags.ts';
import type { ContainerPlan } from './plan-injection.ts';
import type { WorkloadFlags } from './settle-flags.ts';
import { anObserved, aPolicy } from './testing/samples.ts';

const immediate = aPolicy({ mode: 'Immediate' });
const done: ContainerPlan = { container: 'main', outcome: 'Injected', variable: 'JAVA_TOOL_OPTIONS' };
const aWorkload = (
  containers: readonly ContainerPlan[],
  more: Partial<WorkloadFlags> = {},
): WorkloadFlags => ({
  namespace: 'shop',
  deployment: 'orders',
  labels: {},
  containers,
  conflicted: false,
  rolling: false,
  ...more,
});
const said = (...workloads: readonly WorkloadFlags[]): string => {
  const { status, reason } = flagsInjected(immediate, workloads);
  return `${status} ${reason}`;
};

test('mode Never asks for nothing', () => {
  assert.equal(flagsInjected(aPolicy(), []).reason, 'NotRequested');
});

test('no matching Deployment', () => {
  assert.equal(said(), 'False NoDeploymentMatches');
});

test('a fight over the flags is told before all else', () => {
  assert.equal(said(aWorkload([done]), aWorkload([done], { conflicted: true })), 'False Conflicted');
});

test('what the API server refused is told with its words', () => {
  const found = flagsInjected(immediate, [aWorkload([done], { refused: 'deployments is forbidden' })]);

  assert.equal(found.reason, 'Failed');
  assert.match(found.message, /deployments is forbidden/);
});

test('variables that are the user’s, with the line to paste', () => {
  const found = flagsInjected(immediate, [
    aWorkload([{ container: 'main', outcome: 'EnvOwnedByUser', advice: 'append -XX:+X' }]),
  ]);

  assert.deepEqual(found, {
    status: 'False',
    reason: 'EnvOwnedByUser',
    message: 'container main of Deployment orders: append -XX:+X',
  });
});

test('envFrom, and a named container that is not there', () => {
  assert.equal(
    said(aWorkload([{ container: 'main', outcome: 'EnvFromMayHideVariable', advice: 'x' }])),
    'False EnvFromMayHideVariable',
  );
  assert.equal(
    said(aWorkload([{ container: 'main', outcome: 'ContainerNotFound' }])),
    'False ContainerNotFound',
  );
});

test('agents are waited for only while nothing is injected', () => {
  const waits: ContainerPlan = { container: 'side', outcome: 'WaitingForAgents' };

  const found = flagsInjected(immediate, [aWorkload([waits])]);

  assert.equal(`${found.status} ${found.reason}`, 'Unknown WaitingForAgents');
  assert.match(found.message, /a pod of orders .* whether the image sets JAVA_TOOL_OPTIONS/);
  assert.equal(said(aWorkload([done, waits])), 'True Injected');
});

test('no JVM in any container', () => {
  assert.equal(said(aWorkload([{ container: 'main', outcome: 'NoJvm' }])), 'False NoJvm');
});

test('set and rolled out, and set and still rolling', () => {
  assert.equal(said(aWorkload([done])), 'True Injected');
  assert.equal(said(aWorkload([done], { rolling: true })), 'True RollingOut');
});

test('only a fight and a refusal stall a policy', () => {
  const stalled = (workload: WorkloadFlags) =>
    findCondition(decide(anObserved({ policy: immediate, flags: [workload] })).status.conditions, 'Stalled')
      ?.reason;

  assert.equal(stalled(aWorkload([done], { conflicted: true })), 'FlagsConflict');
  assert.equal(stalled(aWorkload([done], { refused: 'no' })), 'NotPermitted');
  assert.equal(stalled(aWorkload([done])), undefined);
});

test('a workload’s row says what to paste, even while its pods are profiled', () => {
  const owned: ContainerPlan = { container: 'main', outcome: 'EnvOwnedByUser', advice: 'append -XX:+X' };

  const { workloads } = decide(anObserved({ policy: immediate, flags: [aWorkload([owned])] })).status;

  assert.deepEqual(
    workloads?.map(({ profiled, reason, message }) => ({ profiled, reason, message })),
    [{ profiled: 1, reason: 'EnvOwnedByUser', message: 'append -XX:+X' }],
  );
});

test('a Deployment without pods has a row', () => {
  const { workloads } = decide(
    anObserved({ policy: immediate, containers: [], pods: 0, flags: [aWorkload([done])] }),
  ).status;

  assert.deepEqual(
    workloads?.map(({ name, pods, reason }) => [name, pods, reason]),
    [['orders', 0, 'NoPods']],
  );
});
