import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../requests/exchange.ts';
import { ContainerRequests } from './container-requests.ts';
import { createRequestDurations } from './request-durations.ts';

const ORDER: Exchange = {
  method: 'GET',
  path: '/orders/4711',
  status: 200,
  outcome: 'Completed',
  latencyNs: 5e6,
};
const SHOP = { namespace: 'shop', pod: 'orders-1', podUid: 'uid-1', container: 'app' };
const containerRequests = (routes: readonly string[] = []) =>
  new ContainerRequests(
    routes,
    createRequestDurations().begin(() => SHOP),
  );
const hidden = (calls: { tls?: number; http2?: number; other?: number }) => ({
  ...{ tls: 0, http2: 0, other: 0 },
  ...calls,
});
const said = (requests: ContainerRequests) => {
  const { state, reason, routes } = requests.take(undefined);
  return `${state} ${reason} ${routes.map(({ route }) => route).join(' ')}`.trimEnd();
};

test('a container that nobody asked is seen, and had no request', () => {
  assert.equal(said(containerRequests()), 'Seen');
});

test('requests are told by the routes of the policy, once', () => {
  const requests = containerRequests(['/orders/{id}']);
  requests.add(ORDER);

  assert.equal(said(requests), 'Seen  /orders/{id}');
  assert.equal(said(requests), 'Seen');
});

test('a container that is asked by TLS or HTTP/2 is not observable, though a probe asks it by HTTP/1.1', () => {
  const requests = containerRequests();
  requests.add(ORDER);
  requests.hide(hidden({ tls: 2 }));
  requests.hide(hidden({ http2: 1 }));

  assert.equal(said(requests), 'NotObservable Tls');
  requests.hide(hidden({ http2: 1 }));
  assert.equal(said(requests), 'NotObservable Http2');
});

test('a probe by TLS does not hide the requests', () => {
  const requests = containerRequests();
  for (let at = 0; at < 9; at++) requests.add(ORDER);
  requests.hide(hidden({ tls: 4 }));

  assert.equal(said(requests), 'Seen  /orders/{}');
});

test('connections without a request ever are not observable; with the first request they are a client’s', () => {
  const requests = containerRequests();
  requests.hide(hidden({ other: 7 }));

  assert.equal(said(requests), 'NotObservable NoHttp');
  assert.equal(said(requests), 'NotObservable NoHttp');
  requests.add(ORDER);
  assert.equal(said(requests), 'Seen  /orders/{}');
  requests.hide(hidden({ other: 7 }));
  assert.equal(said(requests), 'Seen');
});

test('what failed on the node is the reason, in the bounds of a window', () => {
  const failure = { code: 'BPF_NOT_PERMITTED', message: 'no '.repeat(200) };

  const { state, reason, message } = containerRequests().take(failure);

  assert.deepEqual([state, reason, message.length], ['NotObservable', 'BPF_NOT_PERMITTED', 256]);
});
