import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { API_VERSION } from '../../crds/schema.ts';
import type { ServedWindow } from '../../requests/served-window.ts';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { openStore } from '../../store/window-store.ts';
import { slowRequestsPath } from '../../wire/endpoints.ts';
import { agentReports } from '../agent-reports-memory.ts';
import { aPod, aView, metadata } from '../regression-gate/testing/a-cluster.ts';
import { toldNodes } from '../told-nodes.ts';
import { startIngest } from './start-ingest.ts';
import { testApiServer } from './testing/api-server.ts';
import { type Answer, call } from './testing/https-client.ts';

const TOKEN = 'token-of-somebody-who-may-read';
const ROW = { method: 'GET', route: '/orders', unreadNs: 0, stoppedNs: 0, stopsKnown: 0, waited: [] };
const SERVED: ServedWindow = {
  ...{ otherSamples: 2, otherWaitedNs: 0 },
  rows: [
    { ...ROW, speed: 'slow', requests: 1, latencyNs: 30_000_000, samples: [[0, 1]] },
    { ...ROW, speed: 'normal', requests: 20, latencyNs: 40_000_000, samples: [] },
  ],
};

/** A controller with one report, of whose canary there is one window. Resolves to what asks it. */
async function aRunningController(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-slow-'));
  const nowMs = Date.now();
  const store = openStore(join(directory, 'windows.db'), { now: () => nowMs });
  const api = testApiServer();
  api.tokens.set(TOKEN, { username: 'ann', mayRead: ['shop'] });
  const uid = metadata('orders-cpu-1').uid;
  const view = aView({ pods: [aPod()] });
  view.change({
    reports: [
      {
        ...{ apiVersion: API_VERSION, kind: 'RegressionReport', metadata: metadata('orders-cpu-1') },
        spec: {
          ...{ gate: 'orders-cpu', gateGeneration: 1, baselineHash: 'aaa', canaryHash: 'bbb', attempt: 1 },
          images: { baseline: [], canary: [] },
        },
        status: { verdict: 'Failed', startedAt: new Date(nowMs - 60_000).toISOString() },
      },
    ],
  });
  const pods = [aPodWindow({ podUid: 'uid-orders-1', startedAtMs: 0, served: SERVED })];
  const strings = ['slowEncode', 'handle', 'run'];
  store.addBatch(aBatch({ startMs: nowMs - 20_000, endMs: nowMs - 10_000, strings, pods }));
  store.rememberPods(uid, 'canary', [{ podUid: 'uid-orders-1', container: 'app' }]);
  const ingest = await startIngest({
    ...{ client: api.client, view, reports: agentReports(), store, registry: new Registry() },
    told: toldNodes(store, () => nowMs),
    log: pino({ level: 'silent' }),
    isLeader: () => true,
    config: { namespace: 'flamegate-system', agentsNamespace: 'flamegate-agents', httpsPort: 0 },
    now: () => nowMs,
  });
  t.after(async () => {
    await ingest.stop();
    store.close();
    rmSync(directory, { recursive: true });
  });
  const published = api.objects.get('configmaps/flamegate-agents/flamegate-ca') as {
    data: { 'ca.crt': string };
  };
  return (query: string, as: 'text' | 'page' = 'text', token = TOKEN): Promise<Answer> =>
    call({
      ...{ port: ingest.port, ca: published.data['ca.crt'] },
      path: `${slowRequestsPath('shop', 'orders-cpu-1', as)}?${query}`,
      headers: { authorization: `Bearer ${token}` },
    });
}

const codeOf = (answer: Answer): string => `${answer.status} ${JSON.parse(answer.text).code}`;

test('where the time of an arm’s slow requests went is text, and a page, for whoever may read gates there', async (t) => {
  const asks = await aRunningController(t);

  const answer = await asks('arm=canary');
  const page = await asks('arm=canary', 'page');

  assert.equal(answer.status, 200);
  assert.match(answer.text, /GET \/orders: 1 slow, 30.00 ms; 20 normal, 2.00 ms/);
  assert.match(answer.text, /slowEncode/);
  assert.match(page.text, /slow requests of GET \/orders/);
  assert.match(page.text, /data-width="canary" aria-pressed="false">slow ones</);
  assert.equal(codeOf(await asks('arm=canary', 'text', '')), '401 TOKEN_MISSING');
});

test('an arm without requests, a route nobody knows and no arm at all are told apart', async (t) => {
  const asks = await aRunningController(t);

  assert.equal(codeOf(await asks('arm=baseline')), '410 REPORT_DATA_GONE');
  assert.equal(codeOf(await asks('arm=both')), '400 REPORT_QUERY_INVALID');
  assert.equal(codeOf(await asks('arm=canary&route=GET%20/stock', 'page')), '400 REPORT_QUERY_INVALID');
});
