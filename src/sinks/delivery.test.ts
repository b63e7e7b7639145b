/** What waits for a sink, against a server that answers as the test says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createDelivery, type DeliveryLimits } from './delivery.ts';
import { postToSink } from './post-to-sink.ts';

interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const LIMITS: DeliveryLimits = {
  ...{ mostQueued: 4, mostQueuedBytes: 100, mostAtOnce: 3, mostBytesAtOnce: 50 },
  worthMs: 60_000,
};

/** `answer`: by the items of a post; the last ones are taken. */
async function aDelivery(
  t: TestContext,
  answer: (items: string, post: number) => Said | undefined,
  limits: Partial<DeliveryLimits> = {},
) {
  const posts: { readonly items: string; readonly atMs: number }[] = [];
  const server = createServer((request, response) => {
    let items = '';
    request.on('data', (chunk: Buffer) => {
      items += chunk.toString();
    });
    request.on('end', () => {
      posts.push({ items, atMs: performance.now() });
      const { status, headers = {} } = answer(items, posts.length) ?? { status: 200 };
      response.writeHead(status, headers).end('secret words of the server');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const address = { name: 'test', endpoint: `http://127.0.0.1:${port}/in` };
  const failures: string[] = [];
  const clock = { nowMs: 0 };
  const delivery = createDelivery<string>({
    ...{ limits: { ...LIMITS, ...limits }, now: () => clock.nowMs, random: () => 0, firstPauseMs: 2 },
    bytesOf: (item) => item.length,
    send: (items, signal) =>
      postToSink({ address, credentialsDirectory: '', path: '', headers: {}, body: items.join(',') }, signal),
    failed: (reason) => failures.push(reason),
  });
  return { delivery, posts, failures, clock };
}

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await delay(5)) if (isSo()) return;
  assert.fail(`not within 20 s: ${what}`);
}

test('what waits goes in batches of as many items and bytes as the sink takes', async (t) => {
  const { delivery, posts } = await aDelivery(t, () => undefined);
  for (const item of ['a', 'b', 'c', 'd'.repeat(40)]) delivery.add(item);

  delivery.start();
  await eventually('all are sent', () => delivery.report().sent === 4);
  delivery.add('e'.repeat(60));
  await eventually('one that is larger than a batch goes alone', () => delivery.report().sent === 5);

  assert.deepEqual(
    posts.map(({ items }) => items),
    ['a,b,c', 'd'.repeat(40), 'e'.repeat(60)],
  );
  assert.deepEqual(delivery.report(), { sent: 5, refused: 0, lost: 0 });
  await delivery.stop(AbortSignal.abort());
});

test('a sink that cannot take it now gets it later, when it says', async (t) => {
  const answers: readonly Said[] = [
    { status: 503 },
    { status: 401 },
    { status: 429, headers: { 'retry-after': '1' } },
  ];
  const { delivery, posts, failures } = await aDelivery(t, (_, post) => answers[post - 1]);

  delivery.add('a');
  delivery.start();
  await eventually('it is failing', () => delivery.report().failing === 'HTTP429');
  await eventually('it is sent', () => delivery.report().sent === 1);

  assert.deepEqual(failures, ['HTTP503', 'HTTP401', 'HTTP429']);
  const [, , asked, last] = posts;
  assert((last?.atMs ?? 0) - (asked?.atMs ?? 0) >= 990, 'no sooner than a second');
  assert.deepEqual(delivery.report(), { sent: 1, refused: 0, lost: 0 });
  await delivery.stop(AbortSignal.abort());
});

test('one item that is refused does not cost the others of its batch', async (t) => {
  const { delivery, posts } = await aDelivery(t, (items) =>
    items.includes('bad') ? { status: 400 } : undefined,
  );
  for (const item of ['a', 'bad', 'c']) delivery.add(item);

  delivery.start();
  await eventually('all are settled', () => delivery.report().sent + delivery.report().refused === 3);
  await delivery.stop(AbortSignal.timeout(5_000));

  assert.deepEqual(
    posts.map(({ items }) => items),
    ['a,bad,c', 'a,bad', 'a', 'bad', 'c'],
  );
  assert.deepEqual(delivery.report(), { sent: 2, refused: 1, lost: 0, failing: 'HTTP400' });
});

test('beyond its bounds the oldest is lost, and so is what has waited for too long', async (t) => {
  const { delivery, clock } = await aDelivery(t, () => undefined);
  for (const item of ['a', 'b', 'c', 'd', 'e']) delivery.add(item);
  delivery.add('f'.repeat(98));
  assert.deepEqual(delivery.report(), { sent: 0, refused: 0, lost: 3 });

  clock.nowMs = 60_001;
  delivery.add('g');
  delivery.start();
  await eventually('the one that is fresh is sent', () => delivery.report().sent === 1);

  assert.deepEqual(delivery.report(), { sent: 1, refused: 0, lost: 6 });
  await delivery.stop(AbortSignal.abort());
});

test('a redirection is not followed, and is refused', async (t) => {
  const { delivery, posts } = await aDelivery(t, () => ({
    status: 307,
    headers: { location: 'http://169.254.169.254/latest' },
  }));
  delivery.add('a');

  delivery.start();
  await eventually('it is refused', () => delivery.report().refused === 1);

  assert.equal(posts.length, 1);
  assert.equal(delivery.report().failing, 'HTTP307');
  await delivery.stop(AbortSignal.abort());
});

test('who stops sends what waits once more, and counts the rest as lost', async (t) => {
  const { delivery } = await aDelivery(t, (items) => (items.includes('c') ? { status: 503 } : undefined), {
    mostAtOnce: 2,
  });
  for (const item of ['a', 'b', 'c', 'd']) delivery.add(item);

  await delivery.stop(AbortSignal.timeout(20_000));

  assert.deepEqual(delivery.report(), { sent: 2, refused: 0, lost: 2, failing: 'HTTP503' });
});
