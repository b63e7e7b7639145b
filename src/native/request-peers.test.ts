/** The servers that JVM services are made of, asked by the JDK's own client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from './exchange-batch.ts';
import { eventually } from './sampler-fixture.ts';
import { askedByJdk, aWatchedJvm, aWatchedOrders, type JavaPeer } from './testing/peers.ts';
import { aClientOf } from './testing/raw-client.ts';

const PEERS: readonly JavaPeer[] = ['jdk', 'netty-nio', 'netty-epoll', 'ktor-netty', 'ktor-cio'];
const PATHS = ['/fast?id=1', '/chunked', '/echo', '/fast?id=2'];
const GET_FAST = 'GET /fast HTTP/1.1\r\nHost: peer\r\n\r\n';

function words(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((one) => `${one.method} ${one.path} ${one.status} ${one.outcome}`);
}

for (const peerName of PEERS) {
  test(`${peerName}: every request of a JDK client is one exchange, and pipelined ones are too`, async (t) => {
    const peer = await aWatchedJvm(t, peerName);

    const answers = await askedByJdk(t, peer.port, [...PATHS, ...PATHS]);
    const exchanges = await peer.exchanges(8);

    const expected = [
      'GET /fast 200 Completed',
      'GET /chunked 200 Completed',
      'POST /echo 200 Completed',
      'GET /fast 200 Completed',
    ];
    assert.deepEqual(words(exchanges), [...expected, ...expected]);
    assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
    for (const [i, exchange] of exchanges.entries()) {
      const { clientNs } = answers[i] ?? assert.fail('an answer is missing');
      t.diagnostic(
        `${exchange.path}: seen ${micros(exchange.latencyNs)}, by the client ${micros(clientNs)} µs`,
      );
    }
    assert(exchanges.every((one) => one.path !== '/chunked' || one.bytesOut > 20_000));
    assert(exchanges.every((one) => one.path !== '/echo' || (one.bytesIn > 3000 && one.bytesOut > 3000)));

    const client = await aClientOf(peer.port);
    await client.send(GET_FAST + GET_FAST + GET_FAST);
    await client.receives(/(HTTP[\s\S]*fast[\s\S]*){3}/);
    assert.deepEqual(words(await peer.exchanges(3)), Array(3).fill('GET /fast 200 Completed'));
    client.socket.destroy();

    const { missed, malformed, garbage, hidden, givenUp, noArrival, noBytes } = peer.watcher.counters();
    assert.deepEqual(
      { missed, malformed, garbage, hidden, givenUp, noArrival, noBytes },
      { missed: 0, malformed: 0, garbage: 0, hidden: 0, givenUp: 0, noArrival: 0, noBytes: 0 },
    );
  });
}

test('of the sample service, what it serves is seen, and not what it asks itself', async (t) => {
  const peer = await aWatchedOrders(t);

  const answers = await askedByJdk(t, peer.port, ['/orders/7', '/variant', '/orders/none']);
  const seen: string[] = [];
  await eventually('the last one has finished', () => {
    seen.push(...words([...peer.watcher.take()]));
    return seen.some((one) => one.startsWith('GET /orders/none'));
  });

  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200, 400],
  );
  const stock = seen.filter((one) => one.startsWith('GET /stock/'));
  assert.deepEqual(
    seen.filter((one) => !stock.includes(one)),
    ['GET /orders/7 200 Completed', 'GET /variant 200 Completed', 'GET /orders/none 400 Completed'],
  );
  t.diagnostic(`${stock.length} × stock: ${stock.join(', ')}`);
  assert(stock.every((one) => one.endsWith(' 200 Completed')));
  assert.equal(new Set(stock).size, stock.length);
  assert(peer.watcher.counters().notServing > 0);
});

test('what is seen lies between what the server and what the client measured', async (t) => {
  const peer = await aWatchedJvm(t, 'jdk', 21);

  const answers = await askedByJdk(t, peer.port, Array(20).fill('/slow'));
  const exchanges = await peer.exchanges(20);

  for (const [i, exchange] of exchanges.entries()) {
    const { serverNs, clientNs } = answers[i] ?? assert.fail('an answer is missing');
    t.diagnostic(
      `server ${micros(serverNs)}, seen ${micros(exchange.latencyNs)}, client ${micros(clientNs)} µs`,
    );
    assert(exchange.latencyNs >= serverNs);
  }
});

function micros(ns: number): number {
  return Math.round(ns / 1000);
}
