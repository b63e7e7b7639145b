import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { paced } from './paced.ts';

test('work of fifty milliseconds is done at once, and again a second later at the earliest, once for all who ask', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const doneAtMs: number[] = [];
  const work = paced(
    function* () {
      doneAtMs.push(nowMs);
      nowMs += 50;
      yield* [];
    },
    () => nowMs,
  );
  const pass = (ms: number): void => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };

  work.ask();
  work.ask();
  pass(500);
  work.ask();
  pass(499);
  assert.deepEqual(doneAtMs, [0]);
  pass(1);
  assert.deepEqual(doneAtMs, [0, 1_050]);
  pass(5_000);
  work.ask();

  assert.deepEqual(doneAtMs, [0, 1_050, 6_100]);
});

test('after it was stopped nothing is done any more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  let done = 0;
  const work = paced(
    function* () {
      done += 1;
      nowMs += 10;
      yield* [];
    },
    () => nowMs,
  );
  work.ask();
  work.ask();
  work.stop();
  t.mock.timers.tick(10_000);

  assert.equal(done, 1);
});

test('others have their turns between the steps, and who asks meanwhile is not forgotten', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const seen: string[] = [];
  const work = paced(
    function* () {
      for (const step of ['first step', 'last step']) {
        seen.push(step);
        nowMs += 10;
        yield;
      }
    },
    () => nowMs,
  );
  work.ask();
  setImmediate(() => {
    seen.push('others');
    nowMs += 10;
    work.ask();
  });
  while (seen.length < 3) await turn();
  assert.deepEqual(seen, ['first step', 'others', 'last step']);

  while (seen.length < 5) {
    await turn();
    nowMs += 100;
    t.mock.timers.tick(100);
  }
  assert.deepEqual(seen.slice(3), ['first step', 'last step']);
});
