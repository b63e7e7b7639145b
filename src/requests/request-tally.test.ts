import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from './exchange.ts';
import { countOf } from './latency-sketch.ts';
import { RequestTally } from './request-tally.ts';
import { comparableRow, failuresOf, MOST_ROWS, type RouteWindow, requestsOf } from './request-window.ts';
import { SharedRoutes } from './shared-routes.ts';

const anExchange = (fields: Partial<Exchange> = {}): Exchange => ({
  latencyNs: 5_000_000,
  method: 'GET',
  path: '/orders/17',
  status: 200,
  outcome: 'Completed',
  ...fields,
});

function rowsOf(...exchanges: readonly Partial<Exchange>[]): readonly RouteWindow[] {
  const tally = new RequestTally();
  for (const fields of exchanges) tally.add(anExchange(fields));
  return tally.take().routes;
}

test('requests of one route are counted by class of status, failures apart', () => {
  const [row, ...more] = rowsOf(
    {},
    { path: '/orders/18' },
    { status: 404 },
    { status: 503, latencyNs: 1_000 },
    { status: 0 },
    { status: 999 },
    { outcome: 'ClientGone', status: 0 },
    { outcome: 'Unfinished', status: 0, latencyNs: 30_000_000_000 },
    { outcome: 'Reset', status: 0 },
  );

  assert.deepEqual(more, []);
  assert.ok(row !== undefined);
  assert.deepEqual(row.answers, [2, 0, 2, 0, 1, 1]);
  assert.deepEqual([row.clientGone, row.unfinished, row.reset], [1, 1, 1]);
  assert.equal(requestsOf(row), 9);
  assert.equal(failuresOf(row), 3);
});

test('a fast error is no fast answer, and a wait without an answer stands apart', () => {
  const [row] = rowsOf({}, { status: 500, latencyNs: 1 }, { outcome: 'Unfinished', latencyNs: 9e9 });

  assert.equal(countOf(row?.latency ?? []), 1);
  assert.equal(countOf(row?.waited ?? []), 1);
});

const aCall = (grpcStatus: number | undefined, fields: Partial<Exchange> = {}): Partial<Exchange> => ({
  ...{ method: 'POST', path: '/shop.v1.OrderHistory/GetAll', rpc: 'Unary', grpcStatus },
  ...fields,
});

test('calls of gRPC are told by their name and by their own status', () => {
  const failures = [2, 4, 12, 13, 14, 15, 99].map((status) => aCall(status));
  const [row, ...more] = rowsOf(aCall(0), aCall(5), aCall(16), ...failures, aCall(undefined));

  assert.deepEqual(more, []);
  assert.ok(row !== undefined);
  assert.deepEqual([row.method, row.route, row.byPattern], ['rpc', '/shop.v1.OrderHistory/GetAll', true]);
  assert.deepEqual(row.answers, [1, 0, 1, 0, 2, 7]);
  assert.equal(failuresOf(row), 7);
  assert.equal(countOf(row.latency), 4);
});

test('a call that HTTP refused counts as it says', () => {
  const [row] = rowsOf(aCall(0), aCall(undefined, { status: 503 }));

  assert.deepEqual(row?.answers, [0, 0, 1, 0, 0, 1]);
});

test('calls that there are not make no routes, and what is no name is none', () => {
  const unknown = Array.from({ length: 300 }, (_, at) => aCall(12, { path: `/scan/A${at}` }));
  const rows = rowsOf(...unknown, aCall(0, { path: '/no name' }), aCall(0, { path: '/a/b/c' }), aCall(0));

  assert.deepEqual(
    rows.map((row) => `${row.method} ${row.route} ${requestsOf(row)}`),
    ['rpc other 302', 'rpc /shop.v1.OrderHistory/GetAll 1'],
  );
});

test('a pattern of the policy holds calls, too', () => {
  const tally = new RequestTally(['/shop.v1.OrderHistory/**']);
  tally.add(anExchange(aCall(0)));

  assert.equal(tally.take().routes[0]?.route, '/shop.v1.OrderHistory/**');
});

test('streams stand apart from calls, and how long they last is not compared', () => {
  const [call, stream] = rowsOf(aCall(0), aCall(13, { rpc: 'Streaming' }), aCall(0, { rpc: 'Streaming' }));

  assert.ok(call !== undefined && stream !== undefined);
  assert.deepEqual([call.method, stream.method], ['rpc', 'rpc-stream']);
  assert.equal(countOf(stream.latency), 1);
  assert.deepEqual(comparableRow(stream).latency, []);
  assert.equal(failuresOf(comparableRow(stream)), 1);
  assert.equal(comparableRow(call), call);
});

test('clients make up neither methods nor rows without end', () => {
  const tally = new RequestTally();
  for (let at = 0; at < 2_000; at++) {
    const path = `/${String.fromCharCode(97 + (at % 19))}/${String.fromCharCode(97 + ((at >> 5) % 19))}`;
    tally.add(
      anExchange({ method: at % 2 ? `M${at}` : (['GET', 'POST', 'PUT', 'PATCH'][at % 4] ?? ''), path }),
    );
  }

  const { routes } = tally.take();

  assert.ok(routes.length <= MOST_ROWS);
  assert.equal(
    routes.reduce((sum, row) => sum + requestsOf(row), 0),
    2_000,
  );
  assert.ok(routes.every(({ method }) => ['GET', 'POST', 'PUT', 'PATCH', 'other'].includes(method)));
});

test('a window holds what came since the one before, and what was lost on the way', () => {
  const tally = new RequestTally(['/orders/{id}']);
  tally.add(anExchange());
  tally.lose(7);
  const first = tally.take();
  const second = tally.take();

  assert.equal(first.lost, 7);
  assert.deepEqual(
    first.routes.map(({ route, byPattern }) => [route, byPattern]),
    [['/orders/{id}', true]],
  );
  assert.deepEqual(second, { state: 'Seen', reason: '', message: '', lost: 0, routes: [] });
});

test('names that turn out to be too many within a window leave as one route', () => {
  const names = Array.from({ length: 21 }, (_, at) => ({
    path: `/users/${String.fromCharCode(97 + at)}name`,
  }));

  assert.deepEqual(
    rowsOf(...names).map(({ route, answers }) => [route, answers[2]]),
    [['/users/*', 21]],
  );
});

test('rows of pods that folded differently are summed by the coarser route', () => {
  const names = Array.from({ length: 21 }, (_, at) => ({
    path: `/users/${String.fromCharCode(97 + at)}name`,
  }));
  const rows = [
    ...rowsOf(...names),
    ...rowsOf({ path: '/users/aname' }, { path: '/users/17' }),
    ...rowsOf({}),
  ];
  const routes = new SharedRoutes();
  routes.learn(rows);

  const merged = [...routes.merge(rows)].map(([key, row]) => [key, requestsOf(row), countOf(row.latency)]);

  assert.deepEqual(merged, [
    ['GET /users/*', 23, 23],
    ['GET /orders/{}', 1, 1],
  ]);
});
