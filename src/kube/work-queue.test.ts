import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayMs, WorkQueue } from './work-queue.ts';

const options = { workers: 2, now: Date.now, onError: () => undefined };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a key that waits is worked on once, however often it was added', async () => {
  const seen: string[] = [];
  const queue = new WorkQueue(async (key) => void seen.push(key), options);

  queue.add('a');
  queue.add('b');
  queue.add('a');
  queue.start();
  await turn();

  assert.deepEqual(seen, ['a', 'b']);
  await queue.stop();
});

test('a key added while it is worked on is worked on again, never twice at once', async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  let runs = 0;
  const queue = new WorkQueue(async () => {
    running += 1;
    runs += 1;
    most = Math.max(most, running);
    await gate.promise;
    running -= 1;
    return undefined;
  }, options);
  queue.start();

  queue.add('a');
  queue.add('a');
  queue.add('a');
  gate.resolve();
  await turn();
  await turn();

  assert.deepEqual({ runs, most }, { runs: 2, most: 1 });
  await queue.stop();
});

test('no more keys are worked on at once than there are workers', async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  const queue = new WorkQueue(async () => {
    running += 1;
    await gate.promise;
    return undefined;
  }, options);
  queue.start();

  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);

  assert.equal(running, 2);
  assert.equal(queue.depth(), 2);
  gate.resolve();
  await queue.stop();
});

test('between keys that wait for nothing the loop has its turns', async () => {
  const seen: string[] = [];
  const queue = new WorkQueue(async (key) => void seen.push(key), { ...options, workers: 1 });
  for (const key of ['a', 'b', 'c']) queue.add(key);

  queue.start();
  const seenByTurn: number[] = [];
  while (seen.length < 3) {
    seenByTurn.push(seen.length);
    await turn();
  }

  assert.deepEqual([...new Set(seenByTurn)], [1, 2]);
  await queue.stop();
});

test('work that fails comes back, and success forgets the failures', async () => {
  const attempts: number[] = [];
  const done = Promise.withResolvers<void>();
  let runs = 0;
  const work = async () => {
    runs += 1;
    if (runs < 4) throw new Error('not yet');
    done.resolve();
  };
  const queue = new WorkQueue(work as () => Promise<undefined>, {
    ...options,
    onError: (_key, _error, attempt) => attempts.push(attempt),
  });
  queue.start();

  queue.add('a');
  await done.promise;

  assert.deepEqual(attempts, [1, 2, 3]);
  await queue.stop();
});

test('retries begin at 5 ms, double, and never wait longer than 300 s', () => {
  assert.deepEqual([1, 2, 3, 4].map(retryDelayMs), [5, 10, 20, 40]);
  assert.equal(retryDelayMs(60), 300_000);
});

test('of two times for one key the earlier stands', async () => {
  const done = Promise.withResolvers<void>();
  let runs = 0;
  const queue = new WorkQueue(async () => {
    runs += 1;
    done.resolve();
    return undefined;
  }, options);
  queue.start();

  queue.addAfter('a', 60_000);
  queue.addAfter('a', 1);
  queue.addAfter('a', 30_000);
  await done.promise;

  assert.equal(runs, 1);
  await queue.stop();
});

test('a key that others wake rests for nine times its work, two seconds at most; its own change is worked on at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const begun: number[] = [];
  const works = [100, 10_000, 0, 0];
  const queue = new WorkQueue(
    async () => {
      begun.push(Date.now());
      const endMs = works[begun.length - 1] ?? 0;
      if (endMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, endMs));
      return undefined;
    },
    { ...options, now: () => Date.now() },
  );
  const passes = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      t.mock.timers.tick(50);
      await turn();
    }
  };
  queue.start();

  queue.add('a'); // works for 100 ms
  await passes(100);
  queue.addRested('a', 50); // rests until 1,000, works for 10 s
  await passes(11_000);
  queue.addRested('a', 50); // rests until 13,000
  await passes(1_000);
  queue.addAfter('a', 50);
  await passes(50);

  assert.deepEqual(begun, [0, 1_000, 12_150]);
  await queue.stop();
});

test('stopping waits for what is under way and takes nothing new', async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const queue = new WorkQueue(async (key) => {
    await gate.promise;
    seen.push(key);
    return { requeueAfterMs: 0 };
  }, options);
  queue.start();
  queue.add('a');

  const stopped = queue.stop();
  queue.add('b');
  gate.resolve();
  await stopped;
  await turn();

  assert.deepEqual(seen, ['a']);
});

test('work that does not end is told to by its signal', async () => {
  const queue = new WorkQueue(
    (_key, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true })),
    options,
  );
  queue.start();
  queue.add('a');

  await queue.stop(10);
});
