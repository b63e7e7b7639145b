import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWindowClock } from './window-clock.ts';

test('the window in which the agent began is not whole', () => {
  const clock = createWindowClock(12_345, 10_000);

  assert.equal(clock.turn(19_999, 10_000), undefined);
  assert.deepEqual(clock.turn(20_003, 10_000), { startMs: 10_000, endMs: 20_000, whole: false, missed: 0 });
  assert.deepEqual(clock.turn(30_001, 10_000), { startMs: 20_000, endMs: 30_000, whole: true, missed: 0 });
});

test('a turn that comes more than half a window late loses the windows it missed', () => {
  const clock = createWindowClock(0, 10_000);
  clock.turn(10_000, 10_000);

  assert.deepEqual(clock.turn(35_000, 10_000), { startMs: 10_000, endMs: 20_000, whole: false, missed: 2 });
  assert.equal(clock.openSinceMs, undefined);
  assert.equal(clock.boundaryMs, 40_000);
});

test('a clock that is set back ends the window, not whole', () => {
  const clock = createWindowClock(100_000, 10_000);
  clock.turn(110_000, 10_000);

  assert.equal(clock.turn(50_000, 10_000)?.whole, false);
  assert.equal(clock.boundaryMs, 60_000);
});

test('a longer length is reached at its next multiple, and nothing between is lost', () => {
  const clock = createWindowClock(0, 10_000);
  clock.turn(10_000, 10_000);
  clock.turn(20_000, 30_000);

  assert.deepEqual(clock.turn(30_000, 30_000), { startMs: 20_000, endMs: 30_000, whole: true, missed: 0 });
  assert.deepEqual(clock.turn(60_000, 30_000), { startMs: 30_000, endMs: 60_000, whole: true, missed: 0 });
});

test('a shorter length ends the open window at its own next multiple', () => {
  const clock = createWindowClock(0, 30_000);
  clock.turn(30_000, 30_000);

  assert.equal(clock.turn(44_000, 10_000), undefined);
  assert.equal(clock.boundaryMs, 50_000);
  assert.deepEqual(clock.turn(50_500, 10_000), { startMs: 30_000, endMs: 50_000, whole: true, missed: 0 });
  assert.deepEqual(clock.turn(60_000, 10_000), { startMs: 50_000, endMs: 60_000, whole: true, missed: 0 });
});
