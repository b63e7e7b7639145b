import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLooks } from './looks.ts';
import type { PodWindow } from './pod-window.ts';

const aWindow = (change: Partial<PodWindow>): PodWindow => ({
  pod: 'a',
  startMs: 0,
  endMs: 10_000,
  podStartedAtMs: -600_000,
  samplesTaken: 1,
  samplesLost: 0,
  hz: 199,
  cpuUsec: 1,
  throttledUsec: 0,
  flags: '',
  stacks: [],
  ...change,
});

const at = (startMs: number): PodWindow => aWindow({ startMs, endMs: startMs + 10_000 });
const plan = { startedAtMs: 0, deadlineMs: 600_000, warmUpMs: 0 };
const both = (windows: readonly PodWindow[]) => ({ baseline: windows, canary: windows });

test('three windows make a look, and a window belongs to the look by whose time it ended', () => {
  const windows = [0, 10_000, 20_000, 25_000].map(at);

  const blocks = planLooks(both(windows), plan, 300_000);

  assert.deepEqual(
    blocks.map(({ lookAtMs, canary }) => [lookAtMs, canary.length]),
    [
      [30_000, 3],
      [60_000, 1],
    ],
  );
});

test('a block holds what either arm has', () => {
  const blocks = planLooks({ baseline: [0, 40_000].map(at), canary: [40_000].map(at) }, plan, 300_000);

  assert.deepEqual(
    blocks.map(({ lookAtMs, baseline, canary }) => [lookAtMs, baseline.length, canary.length]),
    [
      [30_000, 1, 0],
      [60_000, 1, 1],
    ],
  );
});

test('a look waits for late windows, but not past the deadline', () => {
  const windows = both([at(0)]);

  assert.equal(planLooks(windows, plan, 40_000).length, 0);
  assert.equal(planLooks(windows, plan, 45_000).length, 1);
  assert.equal(planLooks(windows, { ...plan, deadlineMs: 30_000 }, 30_000).length, 1);
});

test('windows before the start and past the deadline are no part of the evaluation', () => {
  const windows = both([-10_000, 0, 600_000].map(at));

  assert.equal(planLooks(windows, plan, 900_000).length, 1);
});
