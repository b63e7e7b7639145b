import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from './exchange-batch.ts';
import type { RequestHooks } from './request-watcher.ts';
import { eventually } from './sampler-fixture.ts';
import { aNode, aWatchedNode, aWatchedSocket, aWatcher } from './testing/peers.ts';
import { aClientOf } from './testing/raw-client.ts';

const TRACEFS = '/sys/kernel/tracing';
const HOOKS = ['sockets', 'systemCalls'] as const;
const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: peer\r\n\r\n`;

// System calls are listened to by their tracepoints' numbers, which only tracefs knows.
const mounts = !existsSync(`${TRACEFS}/events`);
before(() => {
  if (mounts) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACEFS]);
});
after(() => {
  if (mounts) execFileSync('umount', [TRACEFS]);
});

/** `GET /a 200 Completed`. */
function words(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((one) => `${one.method} ${one.path} ${one.status} ${one.outcome}`);
}

for (const hooks of HOOKS) {
  describe(`listening to ${hooks}`, () => both(hooks));
}

function both(hooks: RequestHooks): void {
  const peerOf = (t: TestContext) => aWatchedNode(t, { hooks });

  test('requests on one connection follow each other, and say what they moved', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);

    await client.send(GET('/a?secret=1'));
    const first = await client.receives(/fine$/);
    const post = 'POST /echo HTTP/1.1\r\nHost: peer\r\nContent-Length: 5\r\n\r\nhello';
    await client.send(post);
    const second = await client.receives(/hello$/);
    const [a, b] = await peer.exchanges(2);

    assert.equal(peer.watcher.hooks, hooks);
    assert(a !== undefined && b !== undefined);
    assert.deepEqual(words([a, b]), ['GET /a 200 Completed', 'POST /echo 200 Completed']);
    assert.equal(a.container, 1);
    assert.deepEqual([a.bytesIn, a.bytesOut], [GET('/a?secret=1').length, first.length]);
    assert.deepEqual([b.bytesIn, b.bytesOut], [post.length, second.length]);
    assert(b.startedAtNs >= a.startedAtNs);
    assert.equal(peer.watcher.counters().noArrival, 0);
    client.socket.destroy();
  });

  test('whatever system calls a server reads and answers by, it is seen', async (t) => {
    const peer = await aWatchedSocket(t, { hooks });
    const client = await aClientOf(peer.port);

    for (let turn = 0; turn < 11; turn++) {
      await client.send(GET(`/turn/${turn}`));
      await client.receives(/ok$/);
    }
    const exchanges = await peer.exchanges(11);

    assert.deepEqual(
      words(exchanges),
      Array.from({ length: 11 }, (_, turn) => `GET /turn/${turn} 200 Completed`),
    );
    assert.deepEqual(new Set(exchanges.map((one) => one.bytesOut)), new Set([40]));
    assert.deepEqual(new Set(exchanges.map((one) => one.startedAtNs)).size, 11);
    assert.equal(peer.watcher.counters().noBytes, 2); // sendfile's
    client.socket.destroy();
  });

  test('TLS is counted, by container too, and left alone; HTTP/2 hides nothing', async (t) => {
    const peer = await peerOf(t);
    const tls = await aClientOf(peer.port);
    const http2 = await aClientOf(peer.port);

    await tls.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
    await http2.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await eventually(
      'both are seen',
      () => peer.watcher.counters().http2 + peer.watcher.counters().tls === 2,
    );

    assert.equal(peer.watcher.counters().tls, 1);
    assert.equal(peer.watcher.counters().records, 0);
    assert.deepEqual(peer.watcher.hidden(peer.cgroupId), { tls: 1, http2: 0, other: 0 });
    tls.socket.destroy();
    http2.socket.destroy();
  });

  test('the clock starts when the first byte arrives, not when it is read', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);

    await client.send('GE');
    await delay(150); // what is measured, not waited for
    await client.send('T /split HTTP/1.1\r\nHost: peer\r\n\r');
    await client.send('\n');
    await client.receives(/fine$/);
    await client.send(GET('/wait?ms=120'));
    await client.receives(/waited$/);
    const [split, waited] = await peer.exchanges(2);

    assert.deepEqual(words([split, waited].filter((one) => one !== undefined)), [
      'GET /split 200 Completed',
      'GET /wait 200 Completed',
    ]);
    assert((split?.latencyNs ?? 0) >= 149e6, `${split?.latencyNs} ns`);
    assert((waited?.latencyNs ?? 0) >= 119e6, `${waited?.latencyNs} ns`);
    client.socket.destroy();
  });

  test('pipelined requests get their own responses', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);

    await client.send(GET('/one') + GET('/status?code=404') + GET('/status?code=204'));
    await client.receives(/HTTP[\s\S]*HTTP[\s\S]*HTTP[\s\S]*204[\s\S]*\r\n\r\n/);

    assert.deepEqual(words(await peer.exchanges(3)), [
      'GET /one 200 Completed',
      'GET /status 404 Completed',
      'GET /status 204 Completed',
    ]);
    client.socket.destroy();
  });

  test('chunks, HEAD, 100-continue and bodies in many calls leave the next request right', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);

    await client.send(GET('/chunked?chunks=30&bytes=3000'));
    await client.receives(/\r\n0\r\n\r\n$/);
    await client.send('HEAD /large?bytes=100 HTTP/1.1\r\nHost: peer\r\n\r\n');
    await client.receives(/\r\n\r\n$/);
    await client.send(
      'POST /echo HTTP/1.1\r\nHost: peer\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n',
    );
    await client.receives(/100 Continue/);
    for (const letter of 'GET /no ') await client.send(letter);
    await client.receives(/GET \/no $/);
    await client.send(
      'POST /echo HTTP/1.1\r\nHost: peer\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    await client.receives(/abc$/);
    await client.send(GET('/status?code=304'));
    await client.receives(/304[\s\S]*\r\n\r\n$/);

    assert.deepEqual(words(await peer.exchanges(5)), [
      'GET /chunked 200 Completed',
      'HEAD /large 200 Completed',
      'POST /echo 200 Completed',
      'POST /echo 200 Completed',
      'GET /status 304 Completed',
    ]);
    client.socket.destroy();
  });

  test('after an upgrade there are no more requests', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);
    const other = await aClientOf(peer.port);

    await client.send('GET /socket HTTP/1.1\r\nHost: peer\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.receives(/101/);
    await client.send(GET('/echoed'));
    await client.receives(/echoed/);
    await other.send(GET('/other'));
    await other.receives(/fine/);

    assert.deepEqual(words(await peer.exchanges(2)), [
      'GET /socket 101 Completed',
      'GET /other 200 Completed',
    ]);
    client.socket.destroy();
    other.socket.destroy();
  });

  test('how an exchange failed is told', async (t) => {
    const peer = await peerOf(t);
    const failing = async (
      path: string,
      then: (client: Awaited<ReturnType<typeof aClientOf>>) => unknown,
    ) => {
      const client = await aClientOf(peer.port);
      const { records } = peer.watcher.counters();
      await client.send(GET(path));
      await eventually('the server has read it', () => peer.watcher.counters().records > records);
      await then(client);
      const [exchange] = await peer.exchanges(1);
      client.socket.destroy();
      return exchange === undefined ? [] : words([exchange]);
    };

    const half = await failing('/half', () => undefined);
    const reset = await failing('/reset', () => undefined);
    const gone = await failing('/never', async (client) => {
      await once(client.socket.end(), 'close');
    });
    const resetByClient = await failing('/never', (client) => client.socket.resetAndDestroy());

    assert.deepEqual(half, ['GET /half 200 Unfinished']);
    assert.deepEqual(reset, ['GET /reset 0 Reset']);
    assert.deepEqual(gone, ['GET /never 0 ClientGone']);
    assert.deepEqual(resetByClient, ['GET /never 0 Reset']);
  });

  test('a client that went before its request was read is gone', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);

    process.kill(peer.pid, 'SIGSTOP');
    await client.send(GET('/never'));
    client.socket.end();
    await once(client.socket, 'finish');
    process.kill(peer.pid, 'SIGCONT');
    const [gone] = await peer.exchanges(1);

    assert.deepEqual(words(gone === undefined ? [] : [gone]), ['GET /never 0 ClientGone']);
  });

  test('a client that never reads holds its exchange open until it goes', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);
    const other = await aClientOf(peer.port);

    client.socket.pause();
    await client.send(GET(`/large?bytes=${50 << 20}`));
    await other.send(GET('/other'));
    await other.receives(/fine/);
    const before = words(await peer.exchanges(1));
    client.socket.resetAndDestroy();
    const [unread] = await peer.exchanges(1);

    assert.deepEqual(before, ['GET /other 200 Completed']);
    assert(unread !== undefined);
    assert.deepEqual(words([unread]), ['GET /large 200 Reset']);
    assert(unread.bytesOut > 0 && unread.bytesOut < 50 << 20, `${unread.bytesOut} bytes were sent`);
    other.socket.destroy();
  });

  test('garbage and a head of a megabyte are passed over', async (t) => {
    const peer = await peerOf(t);
    const garbage = await aClientOf(peer.port);
    const huge = await aClientOf(peer.port);
    const next = await aClientOf(peer.port);

    await garbage.send('\x00\x01\xff binary\r\n\r\n');
    await garbage.receives(/400/);
    await huge.send(`GET /huge HTTP/1.1\r\nCookie: ${'a'.repeat(1 << 20)}\r\n\r\n`).catch(() => undefined);
    const [exchange] = await peer.exchanges(1);
    await next.send(GET('/next'));
    await next.receives(/fine/);

    assert.match(words(exchange === undefined ? [] : [exchange])[0] ?? '', /^GET \/huge (431|0) /);
    assert.deepEqual(words(await peer.exchanges(1)), ['GET /next 200 Completed']);
    for (const client of [garbage, huge, next]) client.socket.destroy();
  });

  test('a connection that was open before is seen from its next request on', async (t) => {
    const peer = await peerOf(t);
    const client = await aClientOf(peer.port);
    await client.send(GET('/before'));
    await client.receives(/fine$/);
    await peer.exchanges(1);

    peer.watcher.unwatch(peer.cgroupId);
    await client.send(GET('/unseen'));
    await client.receives(/fine$/);
    peer.watcher.watch(peer.cgroupId, 2);
    await client.send(GET('/seen'));
    await client.receives(/fine$/);
    const [seen] = await peer.exchanges(1);

    assert.deepEqual(words(seen === undefined ? [] : [seen]), ['GET /seen 200 Completed']);
    assert.equal(seen?.container, 2);
    client.socket.destroy();
  });

  test('connections, one after the other at the same descriptor, are as many exchanges', async (t) => {
    const peer = await peerOf(t);

    for (let i = 0; i < 300; i++) {
      const client = await aClientOf(peer.port);
      await client.send(GET(`/reused/${i}`));
      await client.receives(/fine$/);
      client.socket.end();
      await once(client.socket, 'close');
    }
    const exchanges = await peer.exchanges(300);

    assert.deepEqual(new Set(words(exchanges)).size, 300);
    assert(exchanges.every((one) => one.outcome === 'Completed'));
    await eventually('nothing of them is kept', () => {
      peer.watcher.take();
      return peer.watcher.counters().connections === 0;
    });
    const { missed, malformed, givenUp, ringFull, tableFull } = peer.watcher.counters();
    assert.deepEqual({ missed, malformed, givenUp, ringFull, tableFull }, NOTHING_LOST);
  });

  test('more than the bounds allow is counted, and what is within them is right', async (t) => {
    const peer = await aWatchedNode(t, { hooks, maxConnections: 4, maxExchanges: 3 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => aClientOf(peer.port)));

    for (const client of clients) {
      await client.send(GET('/bounded'));
      await client.receives(/fine$/);
    }
    await eventually('the kernel had no room', () => peer.watcher.counters().tableFull > 0);
    await eventually('nobody took them', () => peer.watcher.counters().notTaken > 0);

    assert.deepEqual(words([...peer.watcher.take()]), Array(3).fill('GET /bounded 200 Completed'));
    for (const client of clients) client.socket.destroy();
  });

  test('nothing is attached unless a container is watched', async (t) => {
    const peer = await aNode(t);
    const watcher = aWatcher(t, { hooks, measure: true });
    const runs = () => watcher.counters().programs.reduce((sum, program) => sum + program.runs, 0);
    const client = await aClientOf(peer.port);
    const ask = async () => {
      await client.send(GET('/'));
      await client.receives(/fine$/);
    };

    await ask();
    const before = runs();
    watcher.watch(peer.cgroupId, 1);
    await ask();
    const during = runs();
    watcher.unwatch(peer.cgroupId);
    const after = runs();
    await ask();

    assert.equal(before, 0);
    assert(during > 0);
    assert.equal(runs(), after);
    client.socket.destroy();
  });
}

test('what the container asks of others is no request of its own', async (t) => {
  const peer = await aWatchedNode(t);
  const other = await aNode(t);

  const client = await aClientOf(peer.port);
  await client.send(GET(`/ask?port=${other.port}`));
  await client.receives(/fine/);

  assert.deepEqual(words(await peer.exchanges(1)), ['GET /ask 200 Completed']);
  assert(peer.watcher.counters().notServing > 0);
  client.socket.destroy();
});

const NOTHING_LOST = { missed: 0, malformed: 0, givenUp: 0, ringFull: 0, tableFull: 0 };
