/** A real Alertmanager, and webhooks that the library of Standard Webhooks verifies. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { anAlertmanager, until } from '../../../test/prometheus/prometheus.ts';
import { aReceivers } from '../../../test/sinks/receivers.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { aGate, aView } from '../regression-gate/testing/a-cluster.ts';
import type { NotificationSink } from './notification-sink.ts';
import { startNotifier } from './notifier.ts';

const KEY = `whsec_${Buffer.from('the key of the test, of 32 bytes').toString('base64')}`;

function aGateThatFailed(status: Partial<NonNullable<RegressionGate['status']>> = {}): RegressionGate {
  const now = new Date().toISOString();
  return aGate({
    spec: { notify: ['am', 'hook'] },
    status: {
      ...{ verdict: 'Failed', summary: 'Failed: Codec.encode grew', worst: 'Codec.encode' },
      evaluation: { baseline: 'aaa', canary: 'bbb', attempt: 1, report: 'orders-cpu-1', startedAt: now },
      conditions: [
        { type: 'Regressed', status: 'True', reason: 'FunctionGrew', message: '', lastTransitionTime: now },
      ],
      ...status,
    },
  });
}

/** Of a controller that leads, and knows these gates; what it knows can be changed. */
function aNotifier(t: TestContext, sinks: readonly NotificationSink[], keys: string) {
  const credentialsDirectory = mkdtempSync(join(tmpdir(), 'flamegate-credentials-'));
  writeFileSync(join(credentialsDirectory, 'hook-key'), keys);
  t.after(() => rmSync(credentialsDirectory, { recursive: true }));
  const known = { gates: [] as readonly RegressionGate[], isLeader: true };
  const warned: object[] = [];
  const notifier = startNotifier({
    ...{ credentialsDirectory, now: Date.now, everyMs: 20 },
    view: { ...aView(), gates: () => known.gates },
    sinks: () => sinks,
    isLeader: () => known.isLeader,
    log: { warn: (fields) => warned.push(fields) },
  });
  t.after(() => notifier.stop());
  return { notifier, known, warned };
}

test('a failed gate fires at a real Alertmanager, and is resolved when its canary is gone', async (t) => {
  const configuration = join(import.meta.dirname, '../../../samples/alerting/alertmanager.yaml');
  const { port, active } = await anAlertmanager(t, configuration);
  const { known } = aNotifier(
    t,
    [{ kind: 'Alertmanager', address: { name: 'am', endpoint: `http://127.0.0.1:${port}` } }],
    KEY,
  );

  known.gates = [aGateThatFailed()];
  const [alert] = await until('the alert is active', async () => {
    const alerts = await active();
    return alerts.length > 0 ? alerts : undefined;
  });
  known.gates = [aGateThatFailed({ conditions: [] })];

  assert.deepEqual(alert, {
    ...{ alertname: 'FlamegateCanaryRegressed', severity: 'critical' },
    ...{ k8s_namespace_name: 'shop', gate: 'orders-cpu' },
  });
  await until('it is resolved', async () => ((await active()).length === 0 ? true : undefined));
});

test('a message is signed as Standard Webhooks verifies it, with each key while one replaces the other', async (t) => {
  const server = await aReceivers(t, KEY);
  const old = `whsec_${Buffer.from('a key that was before, of 32 byt').toString('base64')}`;
  const hook = { name: 'hook', endpoint: `${server.endpoint}/webhook` };
  const { notifier, known, warned } = aNotifier(
    t,
    [{ kind: 'Webhook', address: hook, signingKey: 'hook-key' }],
    `${old} ${KEY}\n`,
  );

  const collecting = aGateThatFailed({ verdict: 'Collecting', conditions: [] });
  known.gates = [collecting];
  await until('one look', async () => (notifier.reports().length === 1 ? true : undefined));
  await new Promise((resolve) => setTimeout(resolve, 100)); // some looks, in which it is met undecided
  known.gates = [aGateThatFailed()];
  const [webhook] = await until('a message came', async () => {
    const { webhooks } = await server.received();
    return webhooks.length > 0 ? webhooks : undefined;
  });

  assert.equal(webhook?.problem, '');
  const event = JSON.parse(webhook.body);
  assert.equal(Date.now() - Date.parse(event.time) < 60_000, true);
  assert.deepEqual(
    { ...event, time: '' },
    {
      ...{ specversion: '1.0', id: 'uid-orders-cpu-1-failed', source: 'https://flamegate.dev/controller' },
      ...{ type: 'dev.flamegate.gate.failed', subject: 'shop/orders-cpu', time: '' },
      datacontenttype: 'application/json',
      data: {
        ...{ namespace: 'shop', gate: 'orders-cpu', verdict: 'Failed', reason: 'FunctionGrew' },
        ...{ summary: 'Failed: Codec.encode grew', worst: 'Codec.encode' },
        evaluation: known.gates[0]?.status?.evaluation,
      },
    },
  );
  await until('it is counted', async () => (notifier.reports()[0]?.sent === 1 ? true : undefined));
  assert.deepEqual(notifier.reports(), [{ name: 'hook', sent: 1, refused: 0, lost: 0 }]);
  assert.deepEqual(warned, []);
});

test('who does not lead tells nobody, and a key that is too short signs nothing', async (t) => {
  const server = await aReceivers(t, KEY);
  const hook = { name: 'hook', endpoint: `${server.endpoint}/webhook` };
  const sinks: NotificationSink[] = [{ kind: 'Webhook', address: hook, signingKey: 'hook-key' }];
  const standby = aNotifier(t, sinks, KEY);
  standby.known.isLeader = false;
  const leader = aNotifier(t, sinks, 'whsec_c2hvcnQ=');
  for (const { known } of [standby, leader]) known.gates = [aGateThatFailed({ verdict: 'Collecting' })];
  await new Promise((resolve) => setTimeout(resolve, 100)); // some looks
  for (const { known } of [standby, leader]) known.gates = [aGateThatFailed()];

  await until('the leader says why', async () =>
    leader.notifier.reports()[0]?.failing === 'SigningKeyUnreadable' ? true : undefined,
  );

  assert.deepEqual((await server.received()).webhooks, []);
  assert.deepEqual(standby.notifier.reports(), [{ name: 'hook', sent: 0, refused: 0, lost: 0 }]);
  assert.doesNotMatch(JSON.stringify(leader.warned), /whsec|c2hvcnQ/);
});
