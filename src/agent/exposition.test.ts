/** The agent's page, read by a real Prometheus in both formats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exemplarsIn } from '../../test/prometheus/exemplars-in.ts';
import { aPrometheus, until } from '../../test/prometheus/prometheus.ts';
import { SCHEMA } from '../requests/duration-histogram.ts';
import type { Exchange } from '../requests/exchange.ts';
import { addSketch, createHistogram, logQuantile } from '../requests/latency-histogram.ts';
import { ContainerRequests } from './container-requests.ts';
import { createExposition } from './exposition.ts';
import { formatFor } from './exposition-format.ts';
import { startHealthServer } from './health-server.ts';
import { createMetrics } from './metrics.ts';
import { createRequestDurations } from './request-durations.ts';

const RULES = fileURLToPath(new URL('../../samples/alerting/flamegate.rules.yaml', import.meta.url));
/** Prometheus 2.42 with native histograms, and without. */
const WITH_NATIVE =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const WITHOUT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

/** No label of ours has such a value; what a format does to it is to be undone by the reader. */
const ODD = 'a "quoted\\" line\nand another';

test('the page is in the format that its reader asks for first, and text for everybody else', () => {
  const PROTOBUF =
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
  const typeOf = (accept?: string) => formatFor(accept).contentType.split(';', 1)[0];

  for (const [type, accepted] of [
    ['application/vnd.google.protobuf', [WITH_NATIVE]],
    [
      'application/openmetrics-text',
      [WITHOUT, 'application/openmetrics-text', `${PROTOBUF};q=0.1,${WITHOUT}`],
    ],
    [
      'text/plain',
      [
        undefined,
        '*/*',
        'application/vnd.google.protobuf',
        'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text',
        `${PROTOBUF};q=0`,
        `text/plain,${PROTOBUF};q=0.1`,
        'text/plain,application/openmetrics-text;version=1.0.0;q=0.9',
        'application/openmetrics-text;version=2.0.0',
        `${',;=;q=x'.repeat(1_000)}${WITH_NATIVE}`,
      ],
    ],
  ] as const) {
    for (const accept of accepted) assert.equal(typeOf(accept), type, accept?.slice(0, 200));
  }
});

test('Prometheus reads the same from both, and its quantiles are as near as its buckets are wide', async (t) => {
  const { port, container, latenciesUs, sketchUs } = await aPage(t);
  const [classic, native] = await Promise.all([
    aPrometheus(t, { targets: [port], ruleFiles: [RULES] }),
    aPrometheus(t, { targets: [port], ruleFiles: [RULES], nativeHistograms: true }),
  ]);
  const metric = 'http_server_request_duration_seconds';
  const scraped = (from: typeof native, count: string) =>
    until('the page was read', async () => {
      const found = await from.query(count, 'http_route', 'error_type');
      return found.size > 0 ? found : undefined;
    });

  const counted = await scraped(native, `histogram_count(${metric})`);
  assert.deepEqual(counted, await scraped(classic, `${metric}_count`));
  assert.deepEqual(
    counted,
    new Map([
      ['/orders/{} ', latenciesUs.length],
      ['/stock reset', 1],
    ]),
  );

  const calls = new Map([['shop.Orders Get 0', CALLS_MS.length]]);
  const ofCall = ['rpc_service', 'rpc_method', 'rpc_grpc_status_code'];
  assert.deepEqual(await native.query('histogram_count(rpc_server_duration_milliseconds)', ...ofCall), calls);
  assert.deepEqual(await classic.query('rpc_server_duration_milliseconds_count', ...ofCall), calls);
  const callsUpTo = async (le: string) =>
    (await classic.query(`rpc_server_duration_milliseconds_bucket{le="${le}"}`)).get('');
  assert.deepEqual([await callsUpTo('5.0'), await callsUpTo('10.0'), await callsUpTo('+Inf')], [1, 2, 3]);
  const middleCall = await native.query('histogram_quantile(0.5, rpc_server_duration_milliseconds)');
  assert.ok(Math.abs(Math.log2((middleCall.get('') ?? Number.NaN) / 7)) <= 2 ** -SCHEMA);

  for (const p of [0.5, 0.9, 0.99, 0.999]) {
    const exactUs = latenciesUs[Math.ceil(p * latenciesUs.length) - 1] ?? 0;
    const ofRoute = `{http_route="/orders/{}"}`;
    const quantile = async (of: string, from: typeof native) =>
      1e6 * ((await from.query(`histogram_quantile(${p}, ${of})`)).get('') ?? Number.NaN);
    const byNative = await quantile(`${metric}${ofRoute}`, native);
    const byClassic = await quantile(`${metric}_bucket${ofRoute}`, classic);
    t.diagnostic(
      `P${p * 100}: ${exactUs.toFixed(0)} µs; native ${byNative.toFixed(0)}, sketch ${sketchUs(p).toFixed(0)}, classic ${byClassic.toFixed(0)}`,
    );
    assert.ok(Math.abs(Math.log2(byNative / exactUs)) <= 2 ** -SCHEMA, `native P${p * 100}: ${byNative} µs`);
    assert.ok(Math.abs(byNative / sketchUs(p) - 1) < 0.035, 'a bucket of each');
    assert.ok(byClassic > exactUs / 2.5 && byClassic < exactUs * 2.5, 'bounds are 2.5 apart at most');
  }

  const own = new Map([[ODD, 3]]);
  assert.deepEqual(await native.query('flamegate_agent_attaches_total', 'outcome'), own);
  assert.deepEqual(await classic.query('flamegate_agent_attaches_total', 'outcome'), own);
  const sum = latenciesUs.reduce((total, us) => total + us, 0) / 1e6;
  const sumOf = async (of: string, from: typeof native) =>
    (await from.query(of, 'http_route')).get('/orders/{}') ?? Number.NaN;
  assert.ok(Math.abs((await sumOf(`histogram_sum(${metric})`, native)) - sum) < 1e-6 * sum);
  assert.ok(Math.abs((await sumOf(`${metric}_sum`, classic)) - sum) < 1e-6 * sum);

  // what the sample rules make of both: P99 of what came in the last minutes, all of which took 30 ms
  const recorded = async (from: typeof native) =>
    until('the rule has two scrapes', async () => {
      for (let more = 0; more < 20; more++) container.add(anOrder(30_000));
      const p99 = (await from.query('flamegate:http_server_request_duration_seconds:p99', 'http_route')).get(
        '/orders/{}',
      );
      return p99 !== undefined && p99 > 0 ? p99 : undefined;
    });
  assert.ok(Math.abs(Math.log2((await recorded(native)) / 0.03)) <= 2 ** -SCHEMA);
  const byBounds = await recorded(classic);
  assert.ok(byBounds > 0.025 && byBounds <= 0.05, String(byBounds));
});

for (const [latencyMs, le] of [
  [300, '0.5'],
  [20_000, '+Inf'],
] as const) {
  test(`the exemplar of ${latencyMs} ms is behind the bucket up to ${le}, in each format that has a place for it`, async (t) => {
    const durations = createRequestDurations(() => 1_000_000);
    const container = new ContainerRequests(
      [],
      durations.begin(() => ({ namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' })),
    );
    const add = () => {
      const traced = { startedAtNs: 1.5e9, traceParent: `00-${TRACE}-${PARENT}-01` };
      container.add({ ...anOrder(1e3 * latencyMs), ...traced });
      container.add({ ...A_CALL, latencyNs: 7e6, ...traced });
    };
    const { port } = await served(t, durations);
    const page = async (accept: string) =>
      (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } })).bytes();
    const text = async (accept: string) => new TextDecoder().decode(await page(accept));
    const seconds = latencyMs / 1_000;
    const endedMs = 1_001_500 + latencyMs;

    add();
    assert.doesNotMatch(await text('text/plain'), /trace_id/, 'which has no place for it');
    const openMetrics = await text(WITHOUT);
    assert.match(openMetrics, /\n# EOF\n$/);
    const lines = openMetrics.split('\n').filter((line) => line.includes(' # '));
    const labels = `{trace_id="${TRACE}",span_id="${PARENT}"}`;
    assert.deepEqual(
      lines.map((line) => line.replace(/\{.*?(?=le=)/, '{')),
      [
        `http_server_request_duration_seconds_bucket{le="${le}"} 1 # ${labels} ${seconds} ${(endedMs / 1_000).toFixed(3)}`,
        `rpc_server_duration_milliseconds_bucket{le="10.0"} 1 # ${labels} 7 1001.507`,
      ],
    );

    const of = { labels: { trace_id: TRACE, span_id: PARENT } };
    const request = { ...of, value: seconds, endedMs };
    const call = { ...of, value: 7, endedMs: 1_001_507 };
    const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
    const expected = [
      [bound, request],
      [10, call],
    ];
    assert.deepEqual(exemplarsIn(await page(WITH_NATIVE)), expected, 'once more, for another reader');
    assert.doesNotMatch(await text(WITHOUT), /trace_id/);
  });
}

test('a page of as many series as there may be is read whole', async (t) => {
  const durations = createRequestDurations();
  for (let at = 0; at < 5; at++) {
    const answerer = { namespace: 'shop', pod: `orders-${at}`, podUid: `uid-${at}`, container: 'app' };
    const container = new ContainerRequests(
      [],
      durations.begin(() => answerer),
    );
    for (let status = 100; status < 600; status++) {
      container.add({ method: 'GET', path: '/', status, outcome: 'Completed', latencyNs: status * 1e5 });
    }
  }
  const { port } = await served(t, durations);

  for (const accept of [WITH_NATIVE, WITHOUT]) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } });
    const bytes = await answer.bytes();
    t.diagnostic(`${answer.headers.get('content-type')}: ${bytes.length} bytes`);
    const text = new TextDecoder().decode(bytes);
    assert.ok(text.split('orders-3').length > 250);
    assert.match(text, /otel_metric_overflow/);
  }
});

test('a counter or gauge has 64 series at most', () => {
  const page = createExposition();
  const counter = page.counter('c', 'Counts.');
  for (let at = 0; at < 100; at++) counter.inc({ cause: String(at) });
  counter.inc({ cause: '0' });

  const [family] = page.families();
  assert.ok(family?.kind === 'counter');
  const samples = [...family.samples];
  assert.deepEqual([samples.length, samples[0]?.value], [64, 2]);
});

/** Requests of one route between 1 and 400 ms, most of them fast, one of another, and three calls of gRPC. */
async function aPage(t: Parameters<typeof aPrometheus>[0]) {
  const durations = createRequestDurations();
  const answerer = { namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' };
  const container = new ContainerRequests(
    [],
    durations.begin(() => answerer),
  );
  const latenciesUs = Array.from(
    { length: 5_000 },
    (_, at) => 1_000 * Math.exp(6 * ((at + 0.5) / 5_000) ** 4),
  );
  for (const latencyUs of latenciesUs) {
    container.add(anOrder(latencyUs));
  }
  container.add({ method: 'GET', path: '/stock', status: 200, outcome: 'Reset', latencyNs: 1e9 });
  for (const latencyMs of CALLS_MS) container.add({ ...A_CALL, latencyNs: latencyMs * 1e6 });
  const window = container.take(undefined);
  const histogram = createHistogram();
  for (const { route, latency } of window.routes) if (route === '/orders/{}') addSketch(histogram, latency);
  const sketchUs = (p: number) => Math.exp(logQuantile(histogram, p));
  return { ...(await served(t, durations)), container, latenciesUs, sketchUs };
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

const CALLS_MS = [3, 7, 20_000];
const A_CALL = {
  ...{ method: 'POST', path: '/shop.Orders/Get', status: 200, grpcStatus: 0 },
  ...{ rpc: 'Unary' as const, outcome: 'Completed' as const },
};

const anOrder = (latencyUs: number): Exchange => ({
  ...{ method: 'GET', path: '/orders/17', status: 200, outcome: 'Completed' },
  latencyNs: latencyUs * 1_000,
});

async function served(
  t: Parameters<typeof aPrometheus>[0],
  durations: ReturnType<typeof createRequestDurations>,
) {
  const metrics = createMetrics(durations);
  metrics.attaches.inc({ outcome: ODD }, 3);
  const server = await startHealthServer(0, {
    metrics: metrics.families,
    alive: () => true,
    failure: () => undefined,
  });
  t.after(() => server.stop());
  return { port: server.port };
}
