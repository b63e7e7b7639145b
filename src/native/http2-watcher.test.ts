/** HTTP/2 without TLS, at a server whose client is at hand: both are of Node, that is of nghttp2. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exchange } from './exchange-batch.ts';
import type { RequestHooks } from './request-watcher.ts';
import { eventually } from './sampler-fixture.ts';
import { aWatchedHttp2Node, type WatchedPeer } from './testing/peers.ts';

const TRACEFS = '/sys/kernel/tracing';
const mounts = !existsSync(`${TRACEFS}/events`);
before(() => {
  if (mounts) execFileSync('mount', ['-t', 'tracefs', 'tracefs', TRACEFS]);
});
after(() => {
  if (mounts) execFileSync('umount', [TRACEFS]);
});

for (const hooks of ['sockets', 'systemCalls'] as const) {
  describe(`HTTP/2, listening to ${hooks}`, () => both(hooks));
}

function both(hooks: RequestHooks): void {
  test('requests are streams, and say what they moved', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });
    const client = aClientOf(t, peer);

    await answered(client.request({ ':path': '/a?secret=1', 'x-kept': 'once' }));
    await answered(client.request({ ':path': '/a?secret=1', 'x-kept': 'once' }));
    const upload = client.request({ ':path': '/echo', ':method': 'POST' });
    upload.end('y'.repeat(200_000));
    await answered(upload);
    await answered(client.request({ ':path': '/large?bytes=300000' }));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await answered(client.request({ ':path': '/status?code=404', traceparent }));
    await answered(client.request({ ':path': '/trailers' }));
    const exchanges = await peer.exchanges(6);

    assert.deepEqual(words(exchanges), [
      'GET /a 200 Completed',
      'GET /a 200 Completed',
      'POST /echo 200 Completed',
      'GET /large 200 Completed',
      'GET /status 404 Completed',
      'GET /trailers 200 Completed',
    ]);
    const [, , echo, large] = exchanges;
    assert(echo !== undefined && echo.bytesIn > 200_000 && echo.bytesOut > 200_000);
    assert(large !== undefined && large.bytesOut > 300_000);
    assert.deepEqual(
      exchanges.map(({ traceParent }) => traceParent),
      ['', '', '', '', traceparent, ''],
    );
    assert(exchanges.every((one) => one.rpc === 'None' && one.grpcStatus === undefined));
    nothingLost(peer);
  });

  test('of many streams at once each is one exchange', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });
    const client = aClientOf(t, peer);

    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => answered(client.request({ ':path': `/many/${round}/${i}` }))),
      );
    }
    const exchanges = await peer.exchanges(500);

    assert.equal(new Set(words(exchanges)).size, 500);
    assert(exchanges.every((one) => one.status === 200 && one.outcome === 'Completed'));
    nothingLost(peer);
  });

  test('streams that are read at once have arrived one by one', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });
    const client = aClientOf(t, peer);
    await answered(client.request({ ':path': '/before' }));
    await peer.exchanges(1);

    process.kill(peer.pid, 'SIGSTOP');
    const early = client.request({ ':path': '/early' });
    await delay(150); // what is measured, not waited for
    const late = client.request({ ':path': '/late' });
    await delay(50);
    process.kill(peer.pid, 'SIGCONT');
    await Promise.all([answered(early), answered(late)]);
    const [first, second] = await peer.exchanges(2);

    assert.deepEqual([first?.path, second?.path], ['/early', '/late']);
    assert((second?.startedAtNs ?? 0) - (first?.startedAtNs ?? 0) >= 149e6);
    assert((second?.latencyNs ?? 0) >= 49e6);
  });

  test('how a stream failed is told', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });
    const client = aClientOf(t, peer);

    const reset = client.request({ ':path': '/reset' });
    await once(reset, 'close').catch(() => undefined);
    const [first] = await peer.exchanges(1);
    const { records } = peer.watcher.counters();
    const cancelled = client.request({ ':path': '/never' });
    await eventually('the server has read it', () => peer.watcher.counters().records > records);
    cancelled.close(constants.NGHTTP2_CANCEL);
    const [second] = await peer.exchanges(1);
    const { records: read } = peer.watcher.counters();
    client.request({ ':path': '/never' }).on('error', () => undefined);
    await eventually('the server has read it', () => peer.watcher.counters().records > read);
    client.destroy();
    const [third] = await peer.exchanges(1);

    assert(first !== undefined && second !== undefined && third !== undefined);
    assert.deepEqual(words([first, second]), ['GET /reset 0 Reset', 'GET /never 0 ClientGone']);
    assert.match(words([third]).join(), /^GET \/never 0 (ClientGone|Reset)$/);
  });

  test('of a connection that was open before, what is said anew is seen', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });
    const client = aClientOf(t, peer);
    await answered(client.request({ ':path': '/before' }));
    await peer.exchanges(1);

    peer.watcher.unwatch(peer.cgroupId);
    await answered(client.request({ ':path': '/before' }));
    peer.watcher.watch(peer.cgroupId, 2);
    await answered(client.request({ ':path': '/before' }));
    await answered(client.request({ ':path': '/before' }));
    await answered(client.request({ ':path': '/new' }));
    await answered(client.request({ ':path': '/new' }));
    const exchanges: Exchange[] = [];
    await eventually('what is new is seen twice', () => {
      exchanges.push(...peer.watcher.take());
      return exchanges.filter((one) => one.path === '/new').length === 2;
    });

    const paths = exchanges.map((one) => one.path);
    t.diagnostic(`paths: ${paths.join(', ')}`);
    assert(paths.length >= 3 && paths.slice(0, -2).every((path) => path === '' || path === '/before'));
    assert(exchanges.every((one) => one.method === 'GET' && one.status === 200 && one.container === 2));
  });

  test('connections, one after the other, begin with tables of their own', async (t) => {
    const peer = await aWatchedHttp2Node(t, { hooks });

    for (let i = 0; i < 40; i++) {
      const client = aClientOf(t, peer);
      await answered(client.request({ ':path': `/reused/${i}` }));
      await answered(client.request({ ':path': `/reused/${i}` }));
      client.close();
      await once(client, 'close');
    }
    const exchanges = await peer.exchanges(80);

    assert.equal(new Set(words(exchanges)).size, 40);
    assert.equal(exchanges.length, 80);
    nothingLost(peer);
    await eventually('nothing of them is kept', () => {
      peer.watcher.take();
      return peer.watcher.counters().connections === 0;
    });
  });
}

function aClientOf(t: TestContext, peer: WatchedPeer): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${peer.port}`);
  client.on('error', () => undefined); // resets are what some tests are about
  t.after(() => client.destroy());
  return client;
}

async function answered(stream: ClientHttp2Stream): Promise<void> {
  stream.resume();
  await once(stream, 'close');
}

function words(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((one) => `${one.method} ${one.path} ${one.status} ${one.outcome}`);
}

function nothingLost(peer: WatchedPeer): void {
  const { missed, malformed, garbage, hidden, givenUp, unframed, unread, unnamed, tooMany } =
    peer.watcher.counters();
  assert.deepEqual(
    { missed, malformed, garbage, hidden, givenUp, unframed, unread, unnamed, tooMany },
    {
      ...{ missed: 0, malformed: 0, garbage: 0, hidden: 0, givenUp: 0 },
      ...{ unframed: 0, unread: 0, unnamed: 0, tooMany: 0 },
    },
  );
}
