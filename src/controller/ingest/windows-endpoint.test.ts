import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { encodeCollapsed } from '../../profile/collapsed.ts';
import { aBatch, aPodWindow } from '../../store/testing/a-batch.ts';
import { openStore, type WindowStore } from '../../store/window-store.ts';
import type { Batch } from '../../wire/batch-schema.ts';
import { windowsPath } from '../../wire/endpoints.ts';
import { createWindowDecoder, type RecordedWindow } from '../../wire/window-lines.ts';
import { agentReports } from '../agent-reports-memory.ts';
import { aPod, aView, type TestView } from '../regression-gate/testing/a-cluster.ts';
import { toldNodes } from '../told-nodes.ts';
import { startIngest } from './start-ingest.ts';
import { testApiServer } from './testing/api-server.ts';
import { type Answer, call } from './testing/https-client.ts';
import { windowStream } from './window-stream.ts';

const TOKEN = 'token-of-somebody-who-may-read';

interface Bench {
  readonly port: number;
  readonly ca: string;
  readonly view: TestView;
  readonly store: WindowStore;
  readonly reports: ReturnType<typeof agentReports>;
  readonly registry: Registry;
  readonly nowMs: number;
  setLeader(value: boolean): void;
}

async function aRunningController(t: TestContext): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-windows-'));
  const nowMs = Date.now();
  const store = openStore(join(directory, 'windows.db'), { now: () => nowMs });
  const api = testApiServer();
  api.tokens.set(TOKEN, { username: 'ann', mayRead: ['shop'] });
  const view = aView({
    pods: [aPod({ name: 'orders-1' }), aPod({ name: 'basket-1', labels: { app: 'basket' } })],
  });
  const reports = agentReports();
  const registry = new Registry();
  let leads = true;
  const ingest = await startIngest({
    client: api.client,
    view,
    reports,
    store,
    told: toldNodes(store, () => nowMs),
    log: pino({ level: 'silent' }),
    registry,
    isLeader: () => leads,
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
  const setLeader = (value: boolean) => {
    leads = value;
  };
  return {
    port: ingest.port,
    ca: published.data['ca.crt'],
    view,
    store,
    reports,
    registry,
    nowMs,
    setLeader,
  };
}

/** Number `sequence` began that many times ten seconds after ten minutes ago. */
function stored(bench: Bench, sequence: number, fields: Partial<Batch> = {}): Batch {
  const startMs = bench.nowMs - 600_000 + sequence * 10_000;
  const pods = ['uid-orders-1', 'uid-basket-1'].map((podUid) => aPodWindow({ podUid, startedAtMs: 1_000 }));
  const batch = aBatch({ sequence, startMs, endMs: startMs + 10_000, pods, ...fields });
  bench.store.addBatch(batch);
  bench.reports.record(batch, bench.nowMs);
  return batch;
}

interface Question {
  readonly token?: string;
  readonly namespace?: string;
  readonly query?: Readonly<Record<string, string>>;
}

const pathOf = ({ namespace = 'shop', query = { selector: 'app=orders', fromMs: '0' } }: Question): string =>
  `${windowsPath(namespace)}?${new URLSearchParams(query)}`;

const asks = (bench: Bench, question: Question = {}): Promise<Answer> =>
  call({ ...bench, path: pathOf(question), headers: { authorization: `Bearer ${question.token ?? TOKEN}` } });

const codeOf = (answer: Answer): string => `${answer.status} ${JSON.parse(answer.text).code}`;

/** Fails on an answer whose last line does not count the ones before. */
function windowsIn(answer: Answer): RecordedWindow[] {
  assert.equal(answer.status, 200, answer.text);
  const decode = createWindowDecoder();
  const lines = gunzipSync(answer.bytes).toString('utf8').trimEnd().split('\n').map(decode);
  const windows = lines.flatMap((line) => (line.kind === 'window' ? [line.window] : []));
  assert.deepEqual(lines.at(-1), { kind: 'end', windows: windows.length });
  return windows;
}

test('a recorder is given the windows of the pods it names, whole', async (t) => {
  const bench = await aRunningController(t);
  const { startMs, endMs } = stored(bench, 55);

  const answer = await asks(bench);

  const windows = windowsIn(answer);
  assert.equal(windows.length, 1);
  assert.deepEqual(windows[0]?.meta, {
    node: 'node-a',
    namespace: 'shop',
    pod: 'orders-1',
    podUid: 'uid-orders-1',
    container: 'app',
    startMs,
    endMs,
    startedAtMs: 1_000,
    hz: 49,
    cpuUsec: 5_000_000,
    throttledUsec: 0,
    samples: 3,
    lost: 0,
    flags: '',
    jdk: '25',
  });
  assert.deepEqual(
    windows.map(({ stacks }) => encodeCollapsed(stacks)),
    ['run;handle;encode 2\nrun;handle 1\n'],
  );
  assert.equal(answer.headers['content-encoding'], 'gzip');
  assert.equal(answer.headers['cache-control'], 'no-store');
});

test('windows that began before fromMs are left out', async (t) => {
  const bench = await aRunningController(t);
  const batches = [0, 1, 2].map((sequence) => stored(bench, sequence));

  const fromMs = String(batches[1]?.startMs);
  const windows = windowsIn(await asks(bench, { query: { selector: 'app', fromMs } }));

  assert.deepEqual(
    windows.map(({ meta }) => `${meta.pod} ${meta.startMs - bench.nowMs}`),
    ['orders-1 -590000', 'orders-1 -580000', 'basket-1 -590000', 'basket-1 -580000'],
  );
});

test('no pods and pods without windows are an answer that holds nothing', async (t) => {
  const bench = await aRunningController(t);

  assert.deepEqual(windowsIn(await asks(bench)), []);
  assert.deepEqual(windowsIn(await asks(bench, { query: { selector: 'app=nobody', fromMs: '0' } })), []);
});

test('only who may read gates in the namespace is answered, and only by the leader', async (t) => {
  const bench = await aRunningController(t);

  assert.equal(codeOf(await asks(bench, { token: '' })), '401 TOKEN_MISSING');
  assert.equal(codeOf(await asks(bench, { token: 'token-nobody-ever-issued' })), '401 TOKEN_REJECTED');
  assert.equal(codeOf(await asks(bench, { namespace: 'secret-shop' })), '403 VIEWER_NOT_ALLOWED');
  assert.equal(codeOf(await asks(bench, { query: {} })), '400 WINDOWS_QUERY_INVALID');
  bench.setLeader(false);
  assert.equal(codeOf(await asks(bench)), '503 NOT_LEADER');
});

test('a selector that finds too many pods is refused before anything is read', async (t) => {
  const bench = await aRunningController(t);
  bench.view.change({ pods: Array.from({ length: 201 }, (_, i) => aPod({ name: `orders-${i}` })) });

  assert.equal(codeOf(await asks(bench)), '413 WINDOWS_TOO_MANY');
});

/** 700 names of 1,000 characters that look random, so that gzip makes them hardly shorter: no socket holds many of these. */
function aLargeBatch(sequence: number): Partial<Batch> {
  const strings = Array.from({ length: 700 }, (_, i) =>
    createHash('shake256', { outputLength: 750 }).update(`${sequence} ${i}`).digest('base64'),
  );
  const pods = [
    aPodWindow({ podUid: 'uid-orders-1', startedAtMs: 0, counts: strings.map((_, i) => [i, 1]) }),
  ];
  return { strings, stacks: strings.map((_, i) => [i]), pods };
}

test('readers that stand still hold their place, and give it back by going away', async (t) => {
  const bench = await aRunningController(t);
  for (let sequence = 0; sequence < 12; sequence++) stored(bench, sequence, aLargeBatch(sequence));

  const still = await Promise.all([aReaderThatStandsStill(bench), aReaderThatStandsStill(bench)]);
  const third = await asks(bench);
  for (const leave of still) leave();
  const later = await eventually(async () => {
    const answer = await asks(bench);
    return answer.status === 200 ? answer : undefined;
  });

  assert.equal(codeOf(third), '503 WINDOWS_BUSY');
  assert.equal(windowsIn(later).length, 12);
  assert.match(await bench.registry.metrics(), /refused_total\{code="WINDOWS_INTERRUPTED"\} 2/);
});

/** Resolves once the answer has begun, of which nothing is read; to the way to go. */
function aReaderThatStandsStill({ port, ca }: Bench): Promise<() => void> {
  const { promise, resolve, reject } = Promise.withResolvers<() => void>();
  const headers = { authorization: `Bearer ${TOKEN}` };
  const outgoing = request({ host: 'localhost', port, ca, path: pathOf({}), headers, agent: false });
  outgoing.on('error', reject);
  outgoing.on('response', (response) => {
    response.on('error', () => {
      // Going away in the middle is what this reader is for.
    });
    response.pause();
    resolve(() => outgoing.destroy());
  });
  outgoing.end();
  return promise;
}

async function eventually<T>(probe: () => Promise<T | undefined>): Promise<T> {
  const endMs = Date.now() + 20_000;
  while (Date.now() < endMs) {
    const value = await probe();
    if (value !== undefined) return value;
  }
  throw new Error('not within 20 s');
}

test('an answer that grows past its bound is cut before its end line', async (t) => {
  const bench = await aRunningController(t);
  for (const sequence of [0, 1, 2]) stored(bench, sequence);
  const pods = [{ namespace: 'shop', name: 'orders-1', uid: 'uid-orders-1', node: 'node-a' }];
  const { store, reports } = bench;
  const lines: string[] = [];

  const reading = (async () => {
    for await (const line of windowStream({ store, reports, pods, fromMs: 0, maxBytes: 800 }))
      lines.push(line);
  })();

  await assert.rejects(reading, { code: 'WINDOWS_TOO_MANY' });
  assert.equal(lines.length, 2);
  assert.ok(!lines.some((line) => line.includes('"end"')));
});
