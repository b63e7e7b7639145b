/** Asked over the connection that Flagger makes, by what its source (pkg/controller/webhook.go, 1.44.0) sends. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FLAGGER_HOOKS, type FlaggerHook, flaggerWebhookPath } from '../../wire/endpoints.ts';
import { aCanary, CANARY_REVISION, ON_TRIAL } from '../regression-gate/testing/a-canary.ts';
import { aReport, type Cluster } from '../regression-gate/testing/a-cluster.ts';
import { MAX_PAYLOAD_BYTES } from './flagger-payload.ts';
import { aRunningIngest, type RunningIngest } from './testing/a-running-ingest.ts';
import { type Answer, type Call, call } from './testing/https-client.ts';

const PAYLOAD = {
  ...{ name: 'orders', namespace: 'shop', phase: 'Progressing', checksum: '6b4f7d8c9' },
  metadata: { type: 'bash', cmd: 'true' },
};

interface Asking {
  readonly ingest: RunningIngest;
  ask(hook: FlaggerHook, payload?: object): Promise<string>;
  post(hook: FlaggerHook, how: Partial<Call>): Promise<Answer>;
  /** Of what is on trial, for each type of webhook. */
  everyHook(): Promise<readonly string[]>;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const bodyOf = (payload: object): Buffer => Buffer.from(JSON.stringify(payload));
const asText = ({ status, text }: Answer): string => `${status} ${JSON.parse(text).code}`;

async function asking(t: TestContext, cluster: Partial<Cluster>): Promise<Asking> {
  const ingest = await aRunningIngest('silent');
  t.after(() => ingest.stop());
  ingest.settings.flaggerWebhooks = true;
  ingest.view.change({ ...ON_TRIAL, reports: [], ...cluster });
  newestIs(ingest, CANARY_REVISION);
  const post: Asking['post'] = (hook, how) =>
    call({ ...ingest, method: 'POST', path: flaggerWebhookPath(hook), headers: JSON_TYPE, ...how });
  const ask: Asking['ask'] = async (hook, payload = PAYLOAD) =>
    asText(await post(hook, { body: bodyOf(payload) }));
  return {
    ...{ ingest, ask, post },
    async everyHook() {
      const answers: string[] = [];
      for (const hook of FLAGGER_HOOKS) answers.push(await ask(hook));
      return answers;
    },
  };
}

/** What the Deployment itself says, to whoever asks the API server. */
function newestIs({ api }: RunningIngest, revision: number, observedGeneration = 5): void {
  api.objects.set('deployments/shop/orders', {
    metadata: {
      ...{ name: 'orders', namespace: 'shop', generation: 5 },
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    },
    status: { observedGeneration },
  });
}

const decidedAt = '2026-01-01T12:05:00.000Z';
const decided = (verdict: 'Passed' | 'Failed') => ({
  reports: [aReport({ status: { verdict, decidedAt, message: 'shop.Json.encode grew' } })],
});
const UNDECIDED = ['200 CANARY_UNDECIDED', '409 CANARY_UNDECIDED', '409 CANARY_UNDECIDED'];

test('each type of webhook gets the status by which Flagger does what the verdict asks for', async (t) => {
  assert.deepEqual(FLAGGER_HOOKS, ['rollout', 'confirm-promotion', 'rollback']);
  const { everyHook, ingest } = await asking(t, {});

  assert.deepEqual(await everyHook(), UNDECIDED);
  ingest.view.change(decided('Passed'));
  assert.deepEqual(await everyHook(), ['200 CANARY_PASSED', '200 CANARY_PASSED', '409 CANARY_PASSED']);
  ingest.view.change(decided('Failed'));
  assert.deepEqual(await everyHook(), ['409 CANARY_FAILED', '409 CANARY_FAILED', '200 CANARY_FAILED']);
});

test('a verdict is kept back while the Deployment has a newer revision than the caches, or may have', async (t) => {
  const { everyHook, ingest } = await asking(t, decided('Failed'));

  newestIs(ingest, CANARY_REVISION + 1);
  assert.deepEqual(await everyHook(), UNDECIDED, 'a newer one');
  newestIs(ingest, CANARY_REVISION, 4);
  assert.deepEqual(await everyHook(), UNDECIDED, 'its controller has not seen the newest template');
  ingest.api.objects.delete('deployments/shop/orders');
  assert.deepEqual(await everyHook(), UNDECIDED, 'none at all');
  newestIs(ingest, CANARY_REVISION);
  assert.equal((await everyHook())[2], '200 CANARY_FAILED');
});

test('the same is answered of a Canary without a gate, of none, and of one that has nothing on trial', async (t) => {
  const { ingest, post } = await asking(t, decided('Failed'));
  const textsOf = async (payload: object) => {
    const answers = await Promise.all(FLAGGER_HOOKS.map((hook) => post(hook, { body: bodyOf(payload) })));
    return answers.map(({ status, text }) => `${status} ${text}`);
  };
  const ofNone = await textsOf({ ...PAYLOAD, name: 'no-such-canary' });

  assert.deepEqual(await textsOf({ ...PAYLOAD, namespace: 'no-such-namespace' }), ofNone);
  ingest.view.change({ targets: aCanary('Succeeded') });
  assert.deepEqual(await textsOf(PAYLOAD), ofNone);
  ingest.view.change({ targets: aCanary('Progressing'), gates: [] });
  assert.deepEqual(await textsOf(PAYLOAD), ofNone);
});

test('no answer says more than whether it Passed or Failed', async (t) => {
  const { post } = await asking(t, decided('Failed'));

  for (const hook of FLAGGER_HOOKS) {
    const { text } = await post(hook, { body: bodyOf(PAYLOAD) });
    assert.deepEqual(Object.keys(JSON.parse(text)), ['code', 'message']);
    assert.doesNotMatch(text, /Json|orders-cpu|bbb|aaa/);
  }
});

test('what cannot be looked up is no verdict, and to be asked again', async (t) => {
  const { ask, ingest } = await asking(t, decided('Passed'));

  ingest.api.isDown = true;
  assert.equal(await ask('confirm-promotion'), '503 CANARY_UNREADABLE');
  assert.equal(await ask('rollout', { ...PAYLOAD, name: 'basket' }), '200 CANARY_UNDECIDED');
});

test('what Flagger does not send is refused before it is read to its end', async (t) => {
  const { ingest, post } = await asking(t, {});
  const body = bodyOf(PAYLOAD);
  const long = bodyOf({ ...PAYLOAD, metadata: { a: 'x'.repeat(MAX_PAYLOAD_BYTES) } });
  const chunked = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };

  for (const [how, expected] of [
    [{ headers: {}, body }, '415 WEBHOOK_INVALID'],
    [{ headers: { 'content-type': 'text/plain' }, body }, '415 WEBHOOK_INVALID'],
    [{ headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body }, '415 WEBHOOK_INVALID'],
    [{ headers: { ...JSON_TYPE, 'content-length': long.length }, body: long }, '413 WEBHOOK_INVALID'],
    [{ headers: chunked, body: long }, '413 WEBHOOK_INVALID'],
    [{ headers: { 'content-type': 'application/json; charset=utf-8' }, body }, '200 CANARY_UNDECIDED'],
    [{ body: Buffer.from('{"name":') }, '400 WEBHOOK_INVALID'],
    [{ body: Buffer.from('{"name":"Orders","namespace":"shop"}') }, '400 WEBHOOK_INVALID'],
  ] as const) {
    assert.equal(asText(await post('rollout', how)), expected, JSON.stringify(how).slice(0, 200));
  }
  const got = await call({ ...ingest, path: flaggerWebhookPath('rollout') });
  assert.equal(asText(got), '405 METHOD_NOT_ALLOWED');
  assert.equal(got.headers['allow'], 'POST');
});

test('an address that asks too often is told to wait, by all webhooks alike', async (t) => {
  const { ask, ingest } = await asking(t, {});
  for (let asked = 0; asked < 200; asked += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('rollout')));
    assert.deepEqual([...new Set(answers)], ['200 CANARY_UNDECIDED']);
  }

  assert.equal(await ask('rollback'), '429 TOO_MANY_REQUESTS');
  ingest.clock.nowMs += 1_000;
  assert.equal(await ask('rollback'), '409 CANARY_UNDECIDED');
});
