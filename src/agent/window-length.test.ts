import assert from 'node:assert/strict';
import { test } from 'node:test';
import { windowLength } from './window-length.ts';

const RESTING = { assignedMs: 30_000, newestMetMs: 0, samplesPerSecond: 50, nowMs: 600_000 };

test('a node at rest has windows as long as it is assigned', () => {
  assert.equal(windowLength(RESTING), 30_000);
  assert.equal(windowLength({ ...RESTING, assignedMs: 2_000 }), 2_000);
});

test('for a minute after a container was met, and before the first is, windows are short', () => {
  for (const newestMetMs of [undefined, 541_000, 600_000]) {
    assert.equal(windowLength({ ...RESTING, newestMetMs }), 10_000);
  }
  assert.equal(windowLength({ ...RESTING, newestMetMs: 540_000 }), 30_000);
  assert.equal(windowLength({ ...RESTING, newestMetMs: 540_001, assignedMs: 2_000 }), 2_000);
});

test('a clock that was set back makes no container new', () => {
  assert.equal(windowLength({ ...RESTING, newestMetMs: 4_200_000 }), 30_000);
});

test('a node of many samples keeps short windows', () => {
  assert.equal(windowLength({ ...RESTING, samplesPerSecond: 700 }), 10_000);
});
