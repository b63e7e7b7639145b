import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../requests/exchange.ts';
import { requestsOf } from '../requests/request-window.ts';
import type { Answerer } from './answerer.ts';
import { ContainerRequests } from './container-requests.ts';
import { createRequestDurations, type RequestDurations } from './request-durations.ts';

const ORDERS: Answerer = {
  namespace: 'shop',
  pod: 'orders-1',
  podUid: 'uid-1',
  container: 'app',
  workload: { kind: 'Deployment', name: 'orders' },
};
const anExchange = (fields: Partial<Exchange> = {}): Exchange => ({
  ...{ method: 'GET', path: '/orders/17', status: 200, outcome: 'Completed', latencyNs: 5e6 },
  ...fields,
});

function answering(durations: RequestDurations, ...exchanges: readonly Partial<Exchange>[]) {
  return answeringAs(ORDERS, durations, ...exchanges);
}

function answeringAs(
  answerer: Answerer,
  durations: RequestDurations,
  ...exchanges: readonly Partial<Exchange>[]
) {
  const container = new ContainerRequests(
    [],
    durations.begin(() => answerer),
  );
  for (const fields of exchanges) container.add(anExchange(fields));
  return container;
}

const seriesOf = (durations: RequestDurations) =>
  [...durations.http()].map(({ labels, histogram }) => {
    const {
      k8s_namespace_name: _,
      k8s_container_name: __,
      url_scheme: ___,
      k8s_pod_uid: ____,
      ...rest
    } = labels;
    return `${Object.values(rest).join(' ')}: ${histogram.count}`;
  });

test('requests are counted under the names of OpenTelemetry; what is not known has no label', () => {
  const durations = createRequestDurations();
  answering(durations, {}, { method: 'BREW', path: '*', status: 0, outcome: 'Reset' });

  assert.deepEqual(
    [...durations.http()].map(({ labels }) => labels),
    [
      {
        k8s_namespace_name: 'shop',
        k8s_pod_name: 'orders-1',
        k8s_pod_uid: 'uid-1',
        k8s_container_name: 'app',
        k8s_deployment_name: 'orders',
        http_request_method: 'GET',
        http_route: '/orders/{}',
        http_response_status_code: '200',
        url_scheme: 'http',
      },
      {
        k8s_namespace_name: 'shop',
        k8s_pod_name: 'orders-1',
        k8s_pod_uid: 'uid-1',
        k8s_container_name: 'app',
        k8s_deployment_name: 'orders',
        http_request_method: '_OTHER',
        error_type: 'reset',
        url_scheme: 'http',
      },
    ],
  );
});

test('each status is a series, and what failed says how', () => {
  const durations = createRequestDurations();
  answering(
    durations,
    {},
    { path: '/orders/18' },
    { status: 404 },
    { status: 503 },
    { outcome: 'ClientGone', status: 200 },
    { outcome: 'Unfinished', status: 0 },
    { status: 999 },
  );

  assert.deepEqual(seriesOf(durations), [
    'orders-1 orders GET /orders/{} 200: 2',
    'orders-1 orders GET /orders/{} 404: 1',
    'orders-1 orders GET /orders/{} 503 503: 1',
    'orders-1 orders GET /orders/{} 200 client_gone: 1',
    'orders-1 orders GET /orders/{} unfinished: 1',
    'orders-1 orders GET /orders/{}: 1',
  ]);
});

const aCall = (fields: Partial<Exchange> = {}): Partial<Exchange> => ({
  ...{ method: 'POST', path: '/shop.Orders/Get', rpc: 'Unary', grpcStatus: 0 },
  ...fields,
});
const callsOf = (durations: RequestDurations) =>
  [...durations.rpc()].map(({ labels, histogram }) => {
    const {
      k8s_namespace_name: _,
      k8s_container_name: __,
      k8s_pod_uid: ____,
      k8s_deployment_name: ___,
      ...rest
    } = labels;
    return `${Object.values(rest).join(' ')}: ${histogram.count}`;
  });

test('a call of gRPC is counted as a call, in milliseconds, and not as the POST it is', () => {
  const durations = createRequestDurations();
  answering(durations, aCall(), {});

  assert.deepEqual(seriesOf(durations), ['orders-1 orders GET /orders/{} 200: 1']);
  const [call, ...more] = durations.rpc();
  assert.deepEqual(more, []);
  assert.deepEqual(call?.labels, {
    k8s_namespace_name: 'shop',
    k8s_pod_name: 'orders-1',
    k8s_pod_uid: 'uid-1',
    k8s_container_name: 'app',
    k8s_deployment_name: 'orders',
    rpc_system: 'grpc',
    rpc_service: 'shop.Orders',
    rpc_method: 'Get',
    rpc_grpc_status_code: '0',
  });
  assert.deepEqual([call.histogram.count, call.histogram.sum], [1, 5]);
});

test('each status of gRPC is a series; what a server makes up is UNKNOWN, and how many messages came is none', () => {
  const durations = createRequestDurations();
  answering(
    durations,
    aCall(),
    aCall({ rpc: 'Streaming' }),
    aCall({ grpcStatus: 5 }),
    aCall({ grpcStatus: 13 }),
    aCall({ grpcStatus: 2 }),
    aCall({ grpcStatus: 99 }),
    aCall({ grpcStatus: 200 }),
    aCall({ grpcStatus: undefined, outcome: 'ClientGone' }),
    aCall({ grpcStatus: undefined, status: 0, outcome: 'ClientGone' }),
    aCall({ grpcStatus: undefined, status: 503 }),
    aCall({ grpcStatus: undefined, status: 0 }),
    aCall({ grpcStatus: undefined }),
    aCall({ path: '/shop.Orders/None', grpcStatus: 12 }),
  );

  assert.deepEqual(callsOf(durations), [
    'orders-1 grpc shop.Orders Get 0: 2',
    'orders-1 grpc shop.Orders Get 5: 1',
    'orders-1 grpc shop.Orders Get 13 13: 1',
    'orders-1 grpc shop.Orders Get 2 2: 3',
    'orders-1 grpc shop.Orders Get client_gone: 2',
    'orders-1 grpc shop.Orders Get 503: 1',
    'orders-1 grpc shop.Orders Get: 2',
    'orders-1 grpc 12 12: 1',
  ]);
});

test('a policy’s pattern joins the methods that it matches', () => {
  const durations = createRequestDurations();
  const container = new ContainerRequests(
    ['/shop.Orders/{method}'],
    durations.begin(() => ORDERS),
  );
  container.add(anExchange(aCall()));
  container.add(anExchange(aCall({ path: '/shop.Orders/List' })));

  assert.deepEqual(callsOf(durations), ['orders-1 grpc shop.Orders {method} 0: 2']);
});

test('they count on from window to window, and as many as the windows hold', () => {
  const durations = createRequestDurations();
  const container = answering(durations, {}, { path: '/stock' }, { outcome: 'Reset', status: 0 });
  const windows = [container.take(undefined)];
  container.add(anExchange());
  windows.push(container.take(undefined));

  const inWindows = windows.flatMap(({ routes }) => routes).reduce((sum, row) => sum + requestsOf(row), 0);
  const inSeries = [...durations.http()].reduce((sum, { histogram }) => sum + histogram.count, 0);

  assert.deepEqual([inWindows, inSeries], [4, 4]);
});

test('routes that became one are one series from the next window on, with all that was counted', () => {
  const names = Array.from({ length: 21 }, (_, at) => ({
    path: `/users/${String.fromCharCode(97 + at)}name`,
  }));
  const durations = createRequestDurations();
  const container = answering(durations, ...names);
  container.take(undefined);

  assert.deepEqual(seriesOf(durations), ['orders-1 orders GET /users/* 200: 21']);
  assert.equal(durations.series, 1);
});

test('a container that is gone takes its series along', () => {
  const durations = createRequestDurations();
  const gone = answering(durations, {});
  answeringAs({ ...ORDERS, pod: 'orders-2' }, durations, { path: '/stock' });
  gone.end();

  assert.deepEqual(seriesOf(durations), ['orders-2 orders GET /stock 200: 1']);
  assert.equal(durations.series, 1);
});

test('a container that was started again begins anew, and is on the page once while the one before is still known', () => {
  const durations = createRequestDurations();
  const before = answering(durations, {}, {});
  answering(durations, {});
  before.add(anExchange());

  assert.deepEqual(seriesOf(durations), ['orders-1 orders GET /orders/{} 200: 1']);
  before.end();
  assert.equal(durations.series, 1);
});

test('series are bounded, of a container and of the node, and what finds no room is counted together', () => {
  const durations = createRequestDurations();
  const statuses = Array.from({ length: 500 }, (_, at) => ({ status: 100 + at }));
  const wild = answering(durations, ...statuses);

  assert.deepEqual([durations.series, durations.overflowed], [250, 250]);

  for (let at = 2; at < 6; at++) answeringAs({ ...ORDERS, pod: `orders-${at}` }, durations, ...statuses);

  assert.deepEqual([durations.series, durations.overflowed], [1_000, 1_500]);
  assert.deepEqual([...durations.http()].at(-1)?.labels, { otel_metric_overflow: 'true' });

  answeringAs({ ...ORDERS, pod: 'orders-6' }, durations, aCall()); // which has no room either
  assert.deepEqual(
    [...durations.rpc()].map(({ labels }) => labels),
    [{ otel_metric_overflow: 'true' }],
  );
  assert.equal(durations.overflowed, 1_501);

  wild.end();
  answering(durations, { path: '/room/again' }); // which is the same pod, started again
  assert.equal(durations.series, 751);
});

test('what the workload is may be known later than the first request', () => {
  const durations = createRequestDurations();
  let answerer: Answerer = { namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' };
  const container = new ContainerRequests(
    [],
    durations.begin(() => answerer),
  );
  container.add(anExchange());
  answerer = { ...answerer, workload: { kind: 'StatefulSet', name: 'orders' } };

  assert.equal([...durations.http()][0]?.labels['k8s_statefulset_name'], 'orders');
});

test('each container says since when it is counted and what it lost, asked or not, and anew when it begins anew', async () => {
  const durations = createRequestDurations();
  const figures = () =>
    [...durations.countedSince()].map(({ labels, value }, at) => ({
      pod: labels['k8s_pod_uid'],
      since: value,
      counted: [...durations.counted()][at]?.value,
      lost: [...durations.lost()][at]?.value,
    }));
  const first = answering(durations, {}, aCall());
  first.lose(3);
  const [before] = figures();

  assert.deepEqual([before?.pod, before?.counted, before?.lost], ['uid-1', 2, 3]);
  assert.ok(before && Math.abs(before.since - Date.now() / 1_000) < 60);
  await new Promise((resolve) => setTimeout(resolve, 5));
  answering(durations);
  const [again, ...others] = figures();
  assert.deepEqual([again?.counted, again?.lost, others], [0, 0, []]);
  assert.notEqual(again?.since, before.since);
});

test('a request without room for a series of its own is lost to its container', () => {
  const durations = createRequestDurations();
  const wild = durations.begin(() => ORDERS);
  for (let at = 0; at < 260; at++)
    wild.add(anExchange(), { method: 'GET', label: { route: `/room/${at}`, byPattern: false } });

  const [counted, lost] = [durations.counted(), durations.lost()].map((figure) => [...figure][0]?.value);
  assert.deepEqual([counted, lost, durations.overflowed], [250, 10, 10]);
});
