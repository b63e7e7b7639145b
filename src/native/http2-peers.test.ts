/** Netty and gRPC, asked by the JDK's client and by gRPC's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from './exchange-batch.ts';
import { eventually } from './sampler-fixture.ts';
import { type Answer, askedByHttp2, aWatchedJvm, type WatchedPeer } from './testing/peers.ts';

const AT_ONCE = 40;

test('netty-h2c: a JDK client that upgrades, then asks by streams, is seen from its first request on', async (t) => {
  const peer = await aWatchedJvm(t, 'netty-h2c', 21);
  const paths = ['/fast?id=1', '/chunked', '/echo', '/missing', '/fast?id=2', '/slow'];

  const answers = await askedByHttp2(t, { port: peer.port, by: 'ask-jdk' }, paths);
  const exchanges = await peer.exchanges(paths.length);

  assert.deepEqual(words(exchanges), [
    'GET /fast 200 Completed',
    'GET /chunked 200 Completed',
    'POST /echo 200 Completed',
    'GET /missing 404 Completed',
    'GET /fast 200 Completed',
    'GET /slow 200 Completed',
  ]);
  assert.deepEqual(statuses(answers), [200, 200, 200, 404, 200, 200]);
  assert.equal(peer.watcher.counters().upgraded, 1);
  nothingLost(peer);
  compared(t, exchanges, answers);
});

test('netty-h2c: of hundreds of streams, many at once, each is one exchange', async (t) => {
  const peer = await aWatchedJvm(t, 'netty-h2c', 21);
  const paths = Array.from({ length: 400 }, (_, i) => (i % 10 === 9 ? `/echo?${i}` : `/fast/${i}`));

  const answers = await askedByHttp2(t, { port: peer.port, by: 'ask-jdk', at: AT_ONCE }, paths);
  const exchanges = await peer.exchanges(paths.length);

  assert.equal(exchanges.length, paths.length);
  assert.deepEqual(new Set(statuses(answers)), new Set([200]));
  assert.deepEqual(
    words(exchanges).sort(),
    paths
      .map((path) => (path.startsWith('/echo') ? 'POST /echo' : `GET ${path}`))
      .map(completed)
      .sort(),
  );
  nothingLost(peer);
  compared(t, exchanges, answers);
});

test('grpc: calls are told by their names, how they ended, and whether they have many messages', async (t) => {
  const peer = await aWatchedJvm(t, 'grpc', 21);
  const calls = ['Unary', 'Large', 'Fails', 'Refuses', 'None', 'Many', 'Chat', 'Collect', 'Unary'];

  const answers = await askedByHttp2(t, { port: peer.port, by: 'ask-grpc' }, calls);
  const exchanges = await peer.exchanges(calls.length);

  assert.deepEqual(
    exchanges.map((one) => `${one.path} ${one.status} ${one.outcome} ${one.rpc} ${one.grpcStatus}`),
    [
      '/peer.Echo/Unary 200 Completed Unary 0',
      '/peer.Echo/Large 200 Completed Unary 0',
      '/peer.Echo/Fails 200 Completed Unary 13',
      '/peer.Echo/Refuses 200 Completed Unary 5',
      '/peer.Echo/None 200 Completed Unary 12',
      '/peer.Echo/Many 200 Completed Streaming 0',
      '/peer.Echo/Chat 200 Completed Streaming 0',
      '/peer.Echo/Collect 200 Completed Streaming 0',
      '/peer.Echo/Unary 200 Completed Unary 0',
    ],
  );
  assert.deepEqual(statuses(answers), [0, 0, 13, 5, 12, 0, 0, 0, 0]);
  nothingLost(peer);
  compared(t, exchanges, answers);
});

test('grpc: a client that waits no longer is gone; of hundreds of calls at once none is missed', async (t) => {
  const peer = await aWatchedJvm(t, 'grpc', 21);
  const calls = [...Array.from({ length: 500 }, (_, i) => (i % 5 === 4 ? 'Large' : 'Unary')), 'Never'];

  const answers = await askedByHttp2(t, { port: peer.port, by: 'ask-grpc', at: AT_ONCE }, calls);
  const exchanges = await peer.exchanges(calls.length);

  const groups = Map.groupBy(exchanges, (one) => `${one.path} ${one.outcome} ${one.grpcStatus}`);
  assert.deepEqual(Object.fromEntries([...groups].map(([key, ones]) => [key, ones.length] as const)), {
    '/peer.Echo/Unary Completed 0': 400,
    '/peer.Echo/Large Completed 0': 100,
    '/peer.Echo/Never ClientGone undefined': 1,
  });
  assert.equal(answers.filter(({ status }) => status === 0).length, 500);
  nothingLost(peer);
  compared(t, exchanges, answers);
});

test('grpc: of a channel that was open before, latencies are seen at once, names where they are said anew', async (t) => {
  const peer = await aWatchedJvm(t, 'grpc', 21);
  peer.watcher.unwatch(peer.cgroupId);
  const meanwhile = async () => peer.watcher.watch(peer.cgroupId, 1);

  const calls = ['Unary', 'Unary', 'wait', 'Unary', 'Unary', 'Large', 'Large'];
  const answers = await askedByHttp2(t, { port: peer.port, by: 'ask-grpc', meanwhile }, calls);
  const exchanges: Exchange[] = [];
  await eventually('the last one is seen', () => {
    exchanges.push(...peer.watcher.take());
    return exchanges.filter((one) => one.path === '/peer.Echo/Large').length === 2;
  });

  t.diagnostic(exchanges.map((one) => `${one.path} ${one.rpc} ${one.grpcStatus}`).join(', '));
  assert.deepEqual(statuses(answers), [0, 0, 0, 0, 0, 0]);
  assert(exchanges.slice(0, -2).every((one) => one.path === ''));
  // Both ends refer to what was said before for what a call is, and for how it ended.
  assert(exchanges.every((one) => one.rpc === 'None' && one.status === 0));
});

const completed = (request: string) => `${request} 200 Completed`;

const statuses = (answers: readonly Answer[]): number[] => answers.map((answer) => answer.status);

function words(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((one) => `${one.method} ${one.path} ${one.status} ${one.outcome}`);
}

/** Each request took its client longer than what was seen of it, so the n-th fastest does. */
function compared(
  t: { diagnostic(text: string): void },
  exchanges: readonly Exchange[],
  answers: readonly Answer[],
): void {
  const ascending = (a: number, b: number) => a - b;
  const seen = exchanges.map((one) => one.latencyNs).sort(ascending);
  const measured = answers.map((one) => one.clientNs).sort(ascending);
  const longer = seen.filter((ns, i) => ns > (measured[i] ?? 0)).length;
  const middle = (all: readonly number[]) => Math.round((all[Math.floor(all.length / 2)] ?? 0) / 1000);
  t.diagnostic(
    `median seen ${middle(seen)} µs, by the client ${middle(measured)}; ${longer} seen longer than that`,
  );
}

function nothingLost(peer: WatchedPeer): void {
  const { missed, malformed, garbage, hidden, givenUp, unframed, unread, unnamed, noArrival } =
    peer.watcher.counters();
  assert.deepEqual(
    { missed, malformed, garbage, hidden, givenUp, unframed, unread, unnamed, noArrival },
    {
      ...{ missed: 0, malformed: 0, garbage: 0, hidden: 0, givenUp: 0 },
      ...{ unframed: 0, unread: 0, unnamed: 0, noArrival: 0 },
    },
  );
}
