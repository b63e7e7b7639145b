import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import type { Assignment } from '../../wire/assignment.ts';
import { type Batch, MAX_BATCH_GZIP_BYTES } from '../../wire/batch-schema.ts';
import { AGENT_AUDIENCE, ASSIGNMENT_PATH } from '../../wire/endpoints.ts';
import { agentReports } from '../agent-reports-memory.ts';
import { aGate, aPod, aPolicy, aView, type TestView } from '../regression-gate/testing/a-cluster.ts';
import { toldNodes } from '../told-nodes.ts';
import { startIngest } from './start-ingest.ts';
import { type TestApiServer, testApiServer } from './testing/api-server.ts';
import { type Answer, call, gzipped, push } from './testing/https-client.ts';

const AGENT_TOKEN = 'token-of-the-agent-on-node-a';
const VIEWER_TOKEN = 'token-of-somebody-who-may-read';
const AGENT = 'system:serviceaccount:flamegate-agents:flamegate-agent';

interface Bench {
  readonly port: number;
  readonly ca: string;
  readonly api: TestApiServer;
  readonly view: TestView;
  readonly store: WindowStore;
  readonly registry: Registry;
  readonly reports: ReturnType<typeof agentReports>;
  readonly nowMs: number;
  setLeader(leads: boolean): void;
}

async function aRunningIngest(t: TestContext): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-ingest-'));
  const nowMs = Date.now();
  const now = () => nowMs;
  const store = openStore(join(directory, 'windows.db'), { now });
  const api = testApiServer();
  api.tokens.set(AGENT_TOKEN, { username: AGENT, audience: AGENT_AUDIENCE, node: 'node-a' });
  api.tokens.set(VIEWER_TOKEN, { username: 'ann', mayRead: ['shop'] });
  const view = aView({
    policies: [aPolicy()],
    pods: [aPod(), aPod({ name: 'far-away', node: 'node-b' })],
  });
  const reports = agentReports();
  const registry = new Registry();
  let leads = true;
  const ingest = await startIngest({
    client: api.client,
    view,
    reports,
    store,
    told: toldNodes(store, now),
    log: pino({ level: 'silent' }),
    registry,
    isLeader: () => leads,
    config: { namespace: 'flamegate-system', agentsNamespace: 'flamegate-agents', httpsPort: 0 },
    now,
  });
  t.after(async () => {
    await ingest.stop();
    store.close();
    rmSync(directory, { recursive: true });
  });
  const published = api.objects.get('configmaps/flamegate-agents/flamegate-ca') as {
    data: { 'ca.crt': string };
  };
  const setLeader = (value: boolean) => {
    leads = value;
  };
  return {
    port: ingest.port,
    ca: published.data['ca.crt'],
    api,
    view,
    store,
    registry,
    reports,
    nowMs,
    setLeader,
  };
}

const aFreshBatch = (bench: Bench, fields: Partial<Batch> = {}): Batch =>
  aBatch({
    startMs: bench.nowMs - 12_000,
    endMs: bench.nowMs - 2_000,
    pods: [aPodWindow({ podUid: 'uid-orders-1', startedAtMs: bench.nowMs - 600_000 })],
    ...fields,
  });

const send = (bench: Bench, json: unknown, token = AGENT_TOKEN): Promise<Answer> =>
  push({ ...bench, token, body: gzipped(json) });

const codeOf = (answer: Answer): string => `${answer.status} ${JSON.parse(answer.text).code}`;

const windowsOf = (bench: Bench, podUid = 'uid-orders-1') =>
  bench.store.windows({ pods: [{ podUid }], fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });

test('a batch is stored before its receipt, and the same batch again changes nothing', async (t) => {
  const bench = await aRunningIngest(t);

  const first = await send(bench, aFreshBatch(bench));
  const again = await send(bench, aFreshBatch(bench));

  assert.equal(first.status, 200);
  assert.deepEqual(JSON.parse(first.text), { accepted: true, store: bench.store.storeId() });
  assert.deepEqual(JSON.parse(again.text), JSON.parse(first.text));
  assert.equal(windowsOf(bench).length, 1);
  const metrics = await bench.registry.metrics();
  assert.match(metrics, /flamegate_ingest_batches_total\{outcome="stored"\} 1/);
  assert.match(metrics, /flamegate_ingest_batches_total\{outcome="duplicate"\} 1/);
});

test('what an agent says of itself and of its containers is remembered', async (t) => {
  const bench = await aRunningIngest(t);

  await send(bench, aFreshBatch(bench));

  assert.equal(bench.reports.agents()[0]?.node, 'node-a');
  assert.equal(bench.reports.agents()[0]?.cpuPercentOfCore, 0.2);
  const { jvm } = bench.reports.container('uid-orders-1', 'app')?.window ?? {};
  assert.equal(jvm?.state, 'Profiled');
  assert.deepEqual(jvm.environment, ['JAVA_TOOL_OPTIONS']);
});

test('a pod of another node is refused, one nobody knows is left out and the rest is stored', async (t) => {
  const bench = await aRunningIngest(t);
  const mine = aPodWindow({ podUid: 'uid-orders-1', startedAtMs: 0 });

  const foreign = await send(
    bench,
    aFreshBatch(bench, { pods: [mine, aPodWindow({ podUid: 'uid-far-away', startedAtMs: 0 })] }),
  );
  const unknown = await send(
    bench,
    aFreshBatch(bench, { pods: [mine, aPodWindow({ podUid: 'uid-made-up', startedAtMs: 0 })] }),
  );

  assert.equal(codeOf(foreign), '403 FOREIGN_POD');
  assert.equal(unknown.status, 200);
  assert.equal(windowsOf(bench).length, 1);
  assert.deepEqual(windowsOf(bench, 'uid-made-up'), []);
  assert.match(await bench.registry.metrics(), /flamegate_ingest_windows_total\{outcome="unknownPod"\} 1/);
});

test('the last windows of a pod that has just gone are still taken', async (t) => {
  const bench = await aRunningIngest(t);
  await send(bench, aFreshBatch(bench));

  bench.view.change({ pods: [] });
  const answer = await send(
    bench,
    aFreshBatch(bench, { sequence: 1, startMs: bench.nowMs - 2_000, endMs: bench.nowMs }),
  );

  assert.equal(answer.status, 200);
  assert.equal(windowsOf(bench).length, 2);
});

test('a caller is refused unless its token is an agent token of the node it speaks for', async (t) => {
  const bench = await aRunningIngest(t);
  bench.api.tokens.set('token-of-another-account-here', {
    username: 'system:serviceaccount:shop:default',
    audience: AGENT_AUDIENCE,
    node: 'node-a',
  });
  bench.api.tokens.set('token-that-is-bound-to-no-pod', { username: AGENT, audience: AGENT_AUDIENCE });
  bench.api.tokens.set('token-for-the-wrong-audience!', { username: AGENT, node: 'node-a' });
  const batch = aFreshBatch(bench);

  const none = await push({ ...bench, token: '', body: gzipped(batch) });
  assert.equal(codeOf(none), '401 TOKEN_MISSING');
  assert.equal(none.headers['www-authenticate'], 'Bearer');
  assert.equal(codeOf(await send(bench, batch, 'token-nobody-ever-issued')), '401 TOKEN_REJECTED');
  assert.equal(codeOf(await send(bench, batch, 'token-for-the-wrong-audience!')), '401 TOKEN_REJECTED');
  assert.equal(codeOf(await send(bench, batch, 'token-of-another-account-here')), '403 TOKEN_REJECTED');
  assert.equal(codeOf(await send(bench, batch, 'token-that-is-bound-to-no-pod')), '403 TOKEN_REJECTED');
  assert.equal(codeOf(await send(bench, { ...batch, node: 'node-b' })), '403 FOREIGN_NODE');
  assert.deepEqual(windowsOf(bench), []);
});

test('a token is reviewed once a minute, and a review that fails is the callers chance to try again', async (t) => {
  const bench = await aRunningIngest(t);
  bench.api.isDown = true;
  const down = await send(bench, aFreshBatch(bench));
  bench.api.isDown = false;

  await Promise.all([0, 1, 2].map((sequence) => send(bench, aFreshBatch(bench, { sequence }))));

  assert.equal(codeOf(down), '503 TOKEN_REVIEW_FAILED');
  assert.equal(bench.api.tokenReviews, 1);
});

test('a standby refuses with NOT_LEADER and closes the connection', async (t) => {
  const bench = await aRunningIngest(t);
  bench.setLeader(false);

  const answer = await send(bench, aFreshBatch(bench));

  assert.equal(codeOf(answer), '503 NOT_LEADER');
  assert.equal(answer.headers.connection, 'close');
  assert.deepEqual(windowsOf(bench), []);
});

test('a body that is too large, compressed or inflated, is refused with 413', async (t) => {
  const bench = await aRunningIngest(t);
  const announced = await push({
    ...bench,
    token: AGENT_TOKEN,
    body: Buffer.alloc(MAX_BATCH_GZIP_BYTES + 1),
  });
  const streamed = await push({
    ...bench,
    token: AGENT_TOKEN,
    body: Buffer.alloc(MAX_BATCH_GZIP_BYTES + 1),
    headers: { 'transfer-encoding': 'chunked' },
  });
  const bomb = await push({ ...bench, token: AGENT_TOKEN, body: gzipSync(Buffer.alloc(200 * 1024 * 1024)) });

  for (const answer of [announced, streamed, bomb]) assert.equal(codeOf(answer), '413 BATCH_TOO_LARGE');
  assert.ok(process.memoryUsage.rss() < 600 * 1024 * 1024);
});

test('a body that is no whole gzipped JSON is refused by name', async (t) => {
  const bench = await aRunningIngest(t);
  const whole = gzipped(aFreshBatch(bench));
  const sendBytes = async (body: Buffer, headers = {}) =>
    codeOf(await push({ ...bench, token: AGENT_TOKEN, body, headers }));

  assert.equal(await sendBytes(whole.subarray(0, whole.length - 9)), '400 BATCH_GZIP_BROKEN');
  assert.equal(await sendBytes(Buffer.from('not gzip at all')), '400 BATCH_GZIP_BROKEN');
  assert.equal(await sendBytes(gzipSync('{"version":1,')), '400 BATCH_NOT_JSON');
  assert.equal(await sendBytes(whole, { 'content-encoding': 'br' }), '415 BATCH_ENCODING_UNSUPPORTED');
  assert.equal(await sendBytes(whole, { 'content-type': 'text/plain' }), '415 BATCH_ENCODING_UNSUPPORTED');
});

test('a batch with a wrong field, index or time is refused with what is wrong', async (t) => {
  const bench = await aRunningIngest(t);
  const pod = aPodWindow({ podUid: 'uid-orders-1', startedAtMs: 0 });
  const refusalOf = async (fields: object): Promise<string> => {
    const answer = await send(bench, { ...aFreshBatch(bench), ...fields });
    return `${JSON.parse(answer.text).code}: ${JSON.parse(answer.text).message}`;
  };

  assert.match(await refusalOf({ version: 2 }), /^BATCH_VERSION_UNSUPPORTED: .*version 2/);
  assert.match(
    await refusalOf({ pods: [{ ...pod, hz: 0 }] }),
    /^BATCH_INVALID: at \/pods\/0\/hz: must be >= 1/,
  );
  assert.match(
    await refusalOf({ strings: undefined }),
    /^BATCH_INVALID: at \/: must have required property 'strings'/,
  );
  assert.match(
    await refusalOf({ stacks: [[0, 3]] }),
    /^BATCH_INCONSISTENT: a frame of \/stacks\/0 is 3, .* only 3/,
  );
  assert.match(
    await refusalOf({ pods: [{ ...pod, counts: [[2, 1]] }] }),
    /^BATCH_INCONSISTENT: a stack of \/pods\/0/,
  );
  assert.match(await refusalOf({ pods: [pod, pod] }), /^BATCH_INCONSISTENT: .*twice/);
  assert.match(
    await refusalOf({ startMs: bench.nowMs, endMs: bench.nowMs }),
    /^BATCH_TIME_WRONG: .*lasts 0 ms/,
  );
  assert.match(
    await refusalOf({ pods: [{ ...pod, startedAtMs: bench.nowMs + 90_000 }] }),
    /^BATCH_TIME_WRONG: .*startedAtMs/,
  );
  assert.deepEqual(windowsOf(bench), []);
});

test('an unknown path and a wrong method are refused', async (t) => {
  const bench = await aRunningIngest(t);

  assert.equal(codeOf(await call({ ...bench, path: '/' })), '404 NOT_FOUND');
  assert.equal(codeOf(await call({ ...bench, path: '/agent/v1/batches' })), '405 METHOD_NOT_ALLOWED');
});

const asksForWork = (bench: Bench, headers: Record<string, string> = {}, node = 'node-a'): Promise<Answer> =>
  call({
    ...bench,
    path: `${ASSIGNMENT_PATH}?node=${node}`,
    headers: { authorization: `Bearer ${AGENT_TOKEN}`, ...headers },
  });

test('an assignment comes at once, then 304 while nothing changed, then the next one the moment it did', async (t) => {
  const bench = await aRunningIngest(t);

  const first = await asksForWork(bench);
  const etag = first.headers.etag ?? '';
  const assignment: Assignment = JSON.parse(first.text);
  const same = await asksForWork(bench, { 'if-none-match': etag, prefer: 'wait=1' });
  const pending = asksForWork(bench, { 'if-none-match': etag, prefer: 'wait=60' });
  bench.view.change({
    gates: [aGate({ spec: { canary: { podSelector: { matchLabels: { app: 'orders' } } } } })],
  });
  const next = await pending;

  assert.equal(first.status, 200);
  assert.equal(etag, `"${assignment.version}"`);
  assert.equal(assignment.store, bench.store.storeId());
  assert.equal(same.status, 304);
  assert.equal(next.status, 200);
  const after: Assignment = JSON.parse(next.text);
  assert.deepEqual(
    assignment.containers.map(({ gated }) => gated),
    [false],
  );
  assert.deepEqual(
    after.containers.map(({ gated }) => gated),
    [true],
  );
});

test('an assignment of another node is refused', async (t) => {
  const bench = await aRunningIngest(t);

  assert.equal(codeOf(await asksForWork(bench, {}, 'node-b')), '403 FOREIGN_NODE');
  assert.equal(codeOf(await asksForWork(bench, {}, '')), '400 ASSIGNMENT_QUERY_INVALID');
});
