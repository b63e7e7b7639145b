import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Batch } from '../wire/batch-schema.ts';
import { pollAssignments } from './assignment-poll.ts';
import { createControllerClient } from './controller-client.ts';
import { aController, type FixtureController } from './controller-fixture.ts';
import { aDirectory, eventually } from './jvm-fixture.ts';
import { createLog } from './log.ts';
import { createPushLoop } from './push-loop.ts';
import { openSpool } from './spool.ts';

const log = createLog('silent', 'test');

const aBatch = (sequence: number): Batch => ({
  ...{ version: 1, node: 'n1', boot: 'boot-of-the-test', sequence },
  ...{ startMs: sequence * 10_000, endMs: (sequence + 1) * 10_000 },
  agent: { version: 'test', cpuUsec: 1, rssBytes: 1, bpfRunNs: 1, windowsDropped: 0 },
  ...{ strings: ['a"\n', 'b'], stacks: [[0, 1]], pods: [] },
});

async function aPusher(t: TestContext, controller: FixtureController) {
  const client = createControllerClient(controller);
  const stop = new AbortController();
  let ended = async () => {};
  t.after(() => ended()); // before the spool's directory goes
  const directory = aDirectory(t);
  const spool = await openSpool(directory, 1 << 20);
  const pushed: string[] = [];
  const push = createPushLoop({
    ...{ client, spool, log, random: () => 0 },
    pushed: (result, code) => pushed.push(`${result} ${code}`.trim()),
  });
  const running = push.run(stop.signal);
  ended = async () => {
    stop.abort();
    push.wake();
    await running;
    client.close();
  };
  const add = async (sequence: number) => {
    await spool.add(aBatch(sequence), Date.now());
    push.wake();
  };
  return { directory, spool, client, push, pushed, add };
}

/** Whose hour passes as the test says. */
async function aSpool(t: TestContext) {
  const at = { ms: 0 };
  const spool = await openSpool(aDirectory(t), 1 << 20, () => at.ms);
  const pass = (ms: number) => {
    at.ms += ms;
  };
  return { spool, pass, nowMs: Date.now() };
}

test('batches arrive whole, in order, with the token, and are kept as sent', async (t) => {
  const controller = await aController(t);
  const { add, spool } = await aPusher(t, controller);

  for (const sequence of [0, 1, 2]) await add(sequence);
  await eventually('three arrived', () => spool.entries().every(({ state }) => state === 'sent'));

  assert.deepEqual(controller.batches, [aBatch(0), aBatch(1), aBatch(2)]);
  assert.deepEqual([...controller.tokens], ['Bearer the-token']);
});

test('a new token is used from the next request on', async (t) => {
  const controller = await aController(t);
  const { add } = await aPusher(t, controller);
  await add(0);
  await eventually('the first arrived', () => controller.batches.length === 1);

  writeFileSync(controller.tokenFile, 'the-next-token');
  await add(1);
  await eventually('the second arrived', () => controller.batches.length === 2);

  assert(controller.tokens.has('Bearer the-next-token'));
});

test('a refused batch is set aside, and the next one goes on', async (t) => {
  const controller = await aController(t);
  const { add, spool, pushed } = await aPusher(t, controller);
  controller.refusals.push({ status: 413, code: 'BATCH_TOO_LARGE' });

  await add(0);
  await add(1);
  await eventually('the second arrived', () => spool.entries().at(-1)?.state === 'sent');

  assert.deepEqual(pushed, ['refused BATCH_TOO_LARGE', 'sent']);
  assert.deepEqual(
    spool.entries().map(({ state }) => state),
    ['refused', 'sent'],
  );
});

test('a batch whose file somebody took away holds up no other, and is counted', async (t) => {
  const controller = await aController(t);
  const { directory, spool, push, pushed } = await aPusher(t, controller);
  for (const sequence of [0, 1]) await spool.add(aBatch(sequence), Date.now());
  rmSync(`${directory}/boot-of-the-test-0.json.gz`);

  push.wake();
  await eventually('the other arrived', () => pushed.length === 2);

  assert.deepEqual(pushed, ['refused ENOENT', 'sent']);
  assert.deepEqual([spool.dropped, controller.batches], [1, [aBatch(1)]]);
});

test('a spool that cannot be written for a while ends nothing', async (t) => {
  const controller = await aController(t);
  const { add, directory, pushed, spool } = await aPusher(t, controller);
  mkdirSync(`${directory}/store.tmp`); // where the store's name is to be written

  await add(0);
  await eventually('the first arrived', () => pushed.length === 1);
  rmSync(`${directory}/store.tmp`, { recursive: true });
  await add(1);
  await eventually('the second arrived', () => spool.entries().every(({ state }) => state === 'sent'));

  assert.deepEqual(controller.batches, [aBatch(0), aBatch(1)]);
});

test('an answer that says later is tried again, and not-the-leader over a new connection', async (t) => {
  const controller = await aController(t);
  const { add, pushed } = await aPusher(t, controller);
  controller.refusals.push({ status: 403, code: 'TOKEN_REJECTED' }, { status: 503, code: 'NOT_LEADER' });

  await add(0);
  await eventually('it was told so', () => pushed.includes('sent'));

  assert.deepEqual(pushed, ['failed TOKEN_REJECTED', 'failed NOT_LEADER', 'sent']);
  assert.equal(controller.connections.opened, 2);
});

test('a batch that is of the future is kept, and sent before what is written later', async (t) => {
  const controller = await aController(t);
  const { add, spool, pushed } = await aPusher(t, controller);
  controller.refusals.push({ status: 503, code: 'BATCH_TIME_AHEAD' });

  await add(0);
  await add(1);
  await eventually('both arrived', () => spool.entries().every(({ state }) => state === 'sent'));

  assert.deepEqual(pushed, ['failed BATCH_TIME_AHEAD', 'sent', 'sent']);
  assert.deepEqual(
    controller.batches.map(({ sequence }) => sequence),
    [0, 1],
  );
});

test('a controller with another store gets everything again', async (t) => {
  const controller = await aController(t);
  const { add, push } = await aPusher(t, controller);
  for (const sequence of [0, 1]) await add(sequence);
  await eventually('both arrived', () => controller.batches.length === 2);

  controller.store = 'another-store';
  await push.storeIs('another-store');
  await eventually('both arrived again', () => controller.batches.length === 4);

  assert.deepEqual(
    controller.batches.map(({ sequence }) => sequence),
    [0, 1, 0, 1],
  );
});

test('an agent that starts again sends what waits and remembers what it sent', async (t) => {
  const controller = await aController(t);
  const { add, directory, spool } = await aPusher(t, controller);
  await add(0);
  await eventually('it arrived', () => spool.entries()[0]?.state === 'sent');

  const again = await openSpool(directory, 1 << 20);

  assert.deepEqual(
    again.entries().map(({ id, state }) => [id, state]),
    [['boot-of-the-test-0', 'sent']],
  );
  assert.equal(again.store, 'store-of-the-test');
});

test('the spool keeps to its bytes: the oldest goes, and is counted if it was never sent', async (t) => {
  const directory = aDirectory(t);
  const spool = await openSpool(directory, 600);

  for (let sequence = 0; sequence < 5; sequence++) await spool.add(aBatch(sequence), Date.now());

  const bytes = spool.entries().reduce((total, entry) => total + entry.bytes, 0);
  assert(bytes <= 600);
  assert.equal(spool.entries().length + spool.dropped, 5);
  assert.equal(spool.entries().at(-1)?.id, 'boot-of-the-test-4');
  assert.equal(readdirSync(directory).length, spool.entries().length);
});

test('the spool keeps to what the install’s settings say, from the next batch on', async (t) => {
  const { spool, pass, nowMs } = await aSpool(t);
  const kept = () => spool.entries().map(({ id }) => id);

  await spool.add(aBatch(0), nowMs);
  spool.limit({ maxAgeMs: 7_200_000, maxBytes: 1 << 20 });
  pass(3_600_001);
  await spool.add(aBatch(1), nowMs + 3_600_001);
  assert.deepEqual(kept(), ['boot-of-the-test-0', 'boot-of-the-test-1']);
  spool.limit({ maxAgeMs: 7_200_000, maxBytes: 600 });
  await spool.add(aBatch(2), nowMs + 3_600_002);

  assert(spool.entries().reduce((total, { bytes }) => total + bytes, 0) <= 600);
  assert.equal(kept().at(-1), 'boot-of-the-test-2');
  assert.equal(spool.entries().length + spool.dropped, 3);
});

test('the spool keeps nothing for more than an hour', async (t) => {
  const { spool, pass, nowMs } = await aSpool(t);

  await spool.add(aBatch(0), nowMs);
  pass(3_600_001);
  await spool.add(aBatch(1), nowMs + 3_600_001);

  assert.deepEqual(
    spool.entries().map(({ id }) => id),
    ['boot-of-the-test-1'],
  );
  assert.equal(spool.dropped, 1);
});

test('who is at rest leaves no connection behind, and who is judged keeps the one there is', async (t) => {
  const controller = await aController(t);
  const { add, push, spool } = await aPusher(t, controller);
  const opened: number[] = [];
  const flushed = async (...sequences: number[]) => {
    for (const sequence of sequences) await spool.add(aBatch(sequence), Date.now());
    await push.flush(new AbortController().signal);
    opened.push(controller.connections.opened);
  };
  const pushed = async (sequence: number) => {
    await add(sequence);
    await eventually('a push', () => controller.batches.some((batch) => batch.sequence === sequence));
    opened.push(controller.connections.opened);
  };

  await push.storeIs(controller.store);
  push.wake(30_000); // its turn comes after seconds
  await flushed(0, 1);
  await flushed(2);
  push.wake(10_000);
  await pushed(3);
  await pushed(4);

  assert.deepEqual(opened, [1, 2, 3, 3]);
});

test('a clock that jumps takes nothing from the spool; what was written ahead waits for its time, and goes after an hour', async (t) => {
  const { spool, pass, nowMs } = await aSpool(t);
  const inOrder = () => spool.entries().map(({ id }) => Number(id.split('-').at(-1)));
  const DAY_MS = 86_400_000;

  await spool.add(aBatch(0), nowMs);
  await spool.add(aBatch(1), nowMs + DAY_MS);
  await spool.add(aBatch(2), nowMs + 20_000);
  await spool.add(aBatch(3), nowMs - DAY_MS);

  assert.deepEqual(inOrder(), [3, 0, 2, 1]);
  assert.equal(spool.nextWaiting()?.id, 'boot-of-the-test-3');
  pass(3_600_001);
  await spool.add(aBatch(4), nowMs + 30_000);
  assert.deepEqual(inOrder(), [4]);
  assert.equal(spool.dropped, 4);
});

test('a controller whose certificate is not of our authority hears nothing', async (t) => {
  const controller = await aController(t);
  const other = await aController(t);
  const client = createControllerClient({ ...controller, caFile: other.caFile });
  t.after(() => client.close());

  const asked = client.ask(
    { method: 'GET', path: '/', headers: {}, timeoutMs: 5_000 },
    new AbortController().signal,
  );

  await assert.rejects(asked, { code: 'CONTROLLER_UNREACHABLE' });
  assert.equal(controller.tokens.size, 0);
});

test('an assignment that is none is left out, and a right one taken when it comes', async (t) => {
  const controller = await aController(t);
  const client = createControllerClient(controller);
  const stop = new AbortController();
  const failures: string[] = [];
  const versions: string[] = [];
  const polling = pollAssignments(
    {
      ...{ client, node: 'n1', log, random: () => 0 },
      take: async ({ version }) => void versions.push(version),
      failed: (code) => failures.push(code),
    },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await polling;
    client.close();
  });
  await eventually('a refusal is seen', () => failures.includes('CONTROLLER_REFUSED'));

  const good = { version: '2', store: 's', windowMs: 10_000, frequencyHz: 49, containers: [], live: [] };
  controller.assignment = { ...good, frequencyHz: 1000 };
  await eventually('it is found wrong', () => failures.includes('CONTROLLER_ANSWER_INVALID'));
  controller.assignment = good;
  await eventually('the right one is taken', () => versions.length > 0);

  assert.deepEqual(versions, ['2']);
});
