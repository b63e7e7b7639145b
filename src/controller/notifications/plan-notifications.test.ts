import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { aGate, START_MS } from '../regression-gate/testing/a-cluster.ts';
import { notifyReady } from './notify-ready.ts';
import { type Notification, type NotifyFrom, planNotifications, type Told } from './plan-notifications.ts';

type Status = NonNullable<RegressionGate['status']>;

const SINCE = new Date(START_MS).toISOString();
const evaluation = { baseline: 'aaa', canary: 'bbb', attempt: 3, report: 'orders-cpu-3', startedAt: SINCE };
const regressed = (status: 'True' | 'False' | 'Unknown', reason: string) => ({
  ...{ type: 'Regressed', status, reason, message: '', lastTransitionTime: SINCE },
});
const FAILED: Status = {
  ...{ verdict: 'Failed', evaluation, summary: 'Failed: Codec.encode grew', worst: 'Codec.encode' },
  conditions: [regressed('True', 'FunctionGrew')],
};
const PASSED: Status = { verdict: 'Passed', evaluation, conditions: [regressed('False', 'NoRegression')] };
const COLLECTING: Status = {
  verdict: 'Collecting',
  evaluation,
  conditions: [regressed('Unknown', 'Undecided')],
};
/** As a gate stays once its canary is gone. */
const GONE: Status = { verdict: 'Failed', evaluation, conditions: [] };

const gateThat = (status: Status, notify = ['am', 'hook']) => aGate({ status, spec: { notify } });

/** One look after the other, ten seconds between them, as a controller that leads from the first on. */
function told(
  looks: readonly (readonly RegressionGate[])[],
  more: Partial<NotifyFrom> = {},
): readonly string[][] {
  let before: Told = new Map();
  return looks.map((gates, at) => {
    const planned = planNotifications({
      ...{ gates, told: before, nowMs: START_MS + at * 10_000 },
      ...{ alertmanagers: new Set(['am', 'am2']), webhooks: new Set(['hook']), decidedAtMs: () => START_MS },
      ...more,
    });
    before = planned.told;
    return planned.notifications.map((each) => textOf(each, START_MS + at * 10_000));
  });
}

const textOf = ({ sink, ...what }: Notification, nowMs: number): string =>
  what.kind === 'Message'
    ? `${sink} ${what.message.type} ${what.message.id}`
    : `${sink} ${what.alert.endsAtMs > nowMs ? 'firing' : 'resolved'} ${what.alert.labels['gate']}`;

test('a canary that is Regressed is an alert until it is not, and its verdict one message', () => {
  const gate = gateThat(FAILED);

  assert.deepEqual(told([[gateThat(COLLECTING)], [gate], [gate], [gateThat(GONE)], [gateThat(GONE)]]), [
    [],
    ['am firing orders-cpu', 'hook dev.flamegate.gate.failed uid-orders-cpu-3-failed'],
    [],
    ['am resolved orders-cpu', 'hook dev.flamegate.gate.cleared uid-orders-cpu-3-failed-cleared'],
    [],
  ]);
});

test('an alert is told each minute, or Alertmanager would think that it is over', () => {
  const looks = Array.from({ length: 13 }, () => [gateThat(FAILED, ['am'])]);

  const firing = told(looks).map((each) => each.length);

  assert.deepEqual(firing, [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
});

test('who is named no more hears that it is over, and so do all when the gate is gone', () => {
  const looks = [
    [gateThat(FAILED, ['am', 'am2'])],
    [gateThat(FAILED, ['am2'])],
    [gateThat(FAILED, ['am2', 'am'])],
    [],
    [],
  ];

  assert.deepEqual(told(looks), [
    ['am firing orders-cpu', 'am2 firing orders-cpu'],
    ['am resolved orders-cpu'],
    ['am2 firing orders-cpu', 'am firing orders-cpu'],
    ['am2 resolved orders-cpu', 'am resolved orders-cpu'],
    [],
  ]);
});

test('a new leader tells again what was decided lately, by the same id, and not what is old', () => {
  const look = [[gateThat(PASSED)], [gateThat(PASSED)]];
  const passed = 'hook dev.flamegate.gate.passed uid-orders-cpu-3-passed';

  assert.deepEqual(told(look), [[passed], []]);
  assert.deepEqual(told(look, { decidedAtMs: () => START_MS - 600_001 }), [[], []]);
  assert.deepEqual(told(look, { decidedAtMs: () => undefined }), [[], []]);
});

test('Inconclusive that becomes Failed is told twice, and who names nobody tells nobody', () => {
  const inconclusive: Status = { verdict: 'Inconclusive', evaluation, conditions: [] };

  assert.deepEqual(told([[gateThat(inconclusive, ['hook'])], [gateThat(FAILED, ['hook'])]]), [
    ['hook dev.flamegate.gate.inconclusive uid-orders-cpu-3-inconclusive'],
    ['hook dev.flamegate.gate.failed uid-orders-cpu-3-failed'],
  ]);
  assert.deepEqual(told([[gateThat(FAILED, [])], [gateThat(FAILED, ['of-nobody'])]]), [[], []]);
});

test('an alert has the labels of the rule of samples/alerting, and says what grew', () => {
  const { notifications } = planNotifications({
    ...{ gates: [gateThat(FAILED, ['am'])], told: new Map(), nowMs: START_MS },
    ...{ alertmanagers: new Set(['am']), webhooks: new Set(), decidedAtMs: () => START_MS },
  });

  const [first] = notifications;
  assert(first?.kind === 'Alert');
  assert.deepEqual(first.alert, {
    labels: {
      ...{ alertname: 'FlamegateCanaryRegressed', severity: 'critical' },
      ...{ k8s_namespace_name: 'shop', gate: 'orders-cpu' },
    },
    annotations: {
      summary: 'The canary of shop/orders-cpu is worse than its baseline',
      description: 'Failed: Codec.encode grew',
      ...{ worst: 'Codec.encode', canary: 'bbb', baseline: 'aaa', report: 'orders-cpu-3' },
    },
    startsAtMs: START_MS,
    endsAtMs: START_MS + 300_000,
  });
});

test('a gate says whether who it names can be told', () => {
  const report = (name: string, failing?: string) => ({
    ...{ name, sent: 1, refused: 0, lost: 0 },
    ...(failing === undefined ? {} : { failing }),
  });
  const said = (notify: string[], ...reports: ReturnType<typeof report>[]) => {
    const found = notifyReady(gateThat(PASSED, notify), reports);
    return found && `${found.status} ${found.reason}: ${found.message}`;
  };

  assert.equal(said([]), undefined);
  assert.equal(
    said(['am'], report('am'), report('hook', 'HTTP500')),
    'True Delivering: verdicts are told to am',
  );
  assert.equal(
    said(['am', 'hook'], report('am'), report('hook', 'HTTP500')),
    'False SinkFailing: hook takes nothing (HTTP500)',
  );
  assert.match(said(['pager'], report('am')) ?? '', /^False SinkUnknown: the install has no sink pager for/);
});
