import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paced } from './paced.ts';

test('work of fifty milliseconds is done at once, and again a second later at the earliest, once for all who ask', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const doneAtMs: number[] = [];
  const work = paced(
    () => {
      doneAtMs.push(nowMs);
      nowMs += 50;
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
    () => {
      done += 1;
      nowMs += 10;
    },
    () => nowMs,
  );
  work.ask();
  work.ask();
  work.stop();
  t.mock.timers.tick(10_000);

  assert.equal(done, 1);
});
