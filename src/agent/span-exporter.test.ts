/** Spans against a server that answers as the test says; that a real collector takes them is tried in request-spans.test.ts. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { SpanCandidate } from '../requests/span-sample.ts';
import { createExposition } from './exposition.ts';
import { eventually } from './jvm-fixture.ts';
import { createLog } from './log.ts';
import { type ResourceSpans, resourceSpans } from './otlp-traces.ts';
import { createSpanExporter } from './span-exporter.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const ORDERS = {
  ...{ namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' },
  workload: { kind: 'Deployment', name: 'orders' },
};
const clock = { epochNs: 1_700_000_000_000_000_000n, hex: (digits: number) => 'a'.repeat(digits) };

function aCandidate(exchange: Partial<SpanCandidate['exchange']> = {}): SpanCandidate {
  return {
    method: 'GET',
    label: { route: '/orders/{}', byPattern: false },
    exchange: {
      ...{ method: 'GET', path: '/orders/of-somebody?secret=1', status: 200, outcome: 'Completed' },
      ...{ startedAtNs: 5_000_000_123, latencyNs: 7_000_000, traceParent: TRACE },
      ...exchange,
    },
  };
}

const spansOf = (candidates: readonly SpanCandidate[]) =>
  resourceSpans(ORDERS, candidates, clock).scopeSpans[0].spans;

test('a request with a traceparent is a child of its caller; without one it begins a trace', () => {
  const [child, root] = spansOf([aCandidate(), aCandidate({ traceParent: '' })]);

  assert.deepEqual(child, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'a'.repeat(16),
    parentSpanId: 'b7ad6b7169203331',
    flags: 0x301,
    name: 'GET /orders/{}',
    kind: 2,
    startTimeUnixNano: '1700000005000000123',
    endTimeUnixNano: '1700000005007000123',
    attributes: [
      { key: 'http.request.method', value: { stringValue: 'GET' } },
      { key: 'url.scheme', value: { stringValue: 'http' } },
      { key: 'http.route', value: { stringValue: '/orders/{}' } },
      { key: 'http.response.status_code', value: { intValue: '200' } },
    ],
  });
  assert.deepEqual([root?.traceId, root?.parentSpanId, root?.flags], ['a'.repeat(32), undefined, 1]);
});

test('a call of gRPC is a span of its service and method, with the status of gRPC', () => {
  const call = aCandidate({ rpc: 'Unary', path: '/shop.Orders/Get', grpcStatus: 13 });
  const label = { route: '/shop.Orders/Get', byPattern: true };
  const [span] = spansOf([{ ...call, method: 'rpc', label }]);

  assert.equal(span?.name, 'shop.Orders/Get');
  assert.deepEqual(span.attributes, [
    { key: 'rpc.system', value: { stringValue: 'grpc' } },
    { key: 'rpc.service', value: { stringValue: 'shop.Orders' } },
    { key: 'rpc.method', value: { stringValue: 'Get' } },
    { key: 'rpc.grpc.status_code', value: { intValue: '13' } },
    { key: 'error.type', value: { stringValue: '13' } },
  ]);
});

test('what failed says so, and nothing of a path or query is told', () => {
  const spans = spansOf([aCandidate({ status: 503 }), aCandidate({ outcome: 'Reset', status: 0 })]);

  const error = (stringValue: string) => ({ key: 'error.type', value: { stringValue } });
  assert.deepEqual(
    spans.map(({ status, attributes }) => [status, attributes.at(-1)]),
    [
      [{ code: 2 }, error('503')],
      [{ code: 2 }, error('reset')],
    ],
  );
  assert.doesNotMatch(JSON.stringify(spans), /somebody|secret/);
});

test('spans are sent, again when the other end asks for it, and those it does not want are counted', async (t) => {
  const end = await anEndpoint(t, [
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 200, body: '{"partialSuccess":{"rejectedSpans":"1"}}' },
  ]);
  end.add(2);
  await eventually('they are counted', () => end.counts()['sent'] === 1);

  assert.deepEqual(end.counts(), { sent: 1, refused: 1 });
  assert.equal(end.bodies.length, 2);
  assert.equal(end.bodies[0], end.bodies[1]);
  assert.deepEqual(end.paths, [
    'POST /otlp/v1/traces application/json',
    'POST /otlp/v1/traces application/json',
  ]);
});

test('what is refused for good is not sent again', async (t) => {
  const end = await anEndpoint(t, [{ status: 400 }]);
  end.add(3);
  await eventually('they are counted', () => end.counts()['refused'] === 3);
  end.add(1);
  await eventually('the next is sent', () => end.counts()['sent'] === 1);

  assert.equal(end.bodies.length, 2);
});

test('while nobody takes them the newest thousand wait, and the rest is counted as lost', async (t) => {
  const end = await anEndpoint(t, [{ status: 503, headers: { 'retry-after': '3600' } }]);
  end.add(10);
  await eventually('the first are on their way', () => end.bodies.length === 1);
  for (let batch = 0; batch < 120; batch++) end.add(10);

  assert.deepEqual(end.counts(), { lost: 200 });
  await end.stop();
  assert.deepEqual(end.counts(), { lost: 1_210 });
});

test('without an endpoint no spans are taken, and what waited when it was taken away is lost', async (t) => {
  const end = await anEndpoint(t, [{ status: 503, headers: { 'retry-after': '3600' } }]);
  end.add(1);
  await eventually('the first is on its way', () => end.bodies.length === 1);
  end.add(2);

  assert.equal(end.exporter.isOpen, true);
  end.exporter.sendTo(undefined);
  end.add(4);

  assert.equal(end.exporter.isOpen, false);
  assert.deepEqual(end.counts(), { lost: 2 });
});

interface Planned {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Answers as planned, then 200. */
async function anEndpoint(t: TestContext, plan: Planned[]) {
  const bodies: string[] = [];
  const paths: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      bodies.push(body);
      paths.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
      const { status, headers = {}, body: answer = '{}' } = plan.shift() ?? { status: 200 };
      response.writeHead(status, headers).end(answer);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const page = createExposition();
  const spans = page.counter('spans_total', 'Spans.');
  const exporter = createSpanExporter({
    ...{ spans, random: () => 0 },
    log: createLog('silent', ''),
  });
  exporter.sendTo(`http://127.0.0.1:${port}/otlp`);
  const stopping = new AbortController();
  const run = exporter.run(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await run;
  };
  t.after(async () => {
    await stop();
    server.closeAllConnections();
    server.close();
  });
  return {
    bodies,
    paths,
    stop,
    exporter,
    add(count: number) {
      const batch: ResourceSpans = resourceSpans(
        ORDERS,
        Array.from({ length: count }, () => aCandidate()),
        clock,
      );
      exporter.add([batch]);
    },
    counts() {
      const [family] = page.families();
      assert.ok(family?.kind === 'counter');
      return Object.fromEntries([...family.samples].map(({ labels, value }) => [labels['result'], value]));
    },
  };
}
