import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodWindow } from './pod-window.ts';
import { ServedSinceStart } from './served-since-start.ts';

const WINDOW_MS = 10_000;

function window(pod: string, ageMs: number, requests: number): PodWindow {
  const row = { method: 'GET', route: '/orders/{}', latency: [200, requests], waited: [] };
  return {
    ...{ pod, podStartedAtMs: 0, startMs: ageMs, endMs: ageMs + WINDOW_MS, hz: 49, flags: '' },
    ...{ samplesTaken: 0, samplesLost: 0, cpuUsec: 0, throttledUsec: 0, stacks: [] },
    requests: {
      ...{ state: 'Seen', reason: '', message: '', lost: 0 },
      routes: [{ ...row, answers: [0, requests, 0, 0, 0, 0], clientGone: 0, unfinished: 0, reset: 0 }],
    },
  };
}

test('what a pod served before its first window is taken to be what it serves in that one, and what comes is counted', () => {
  const served = new ServedSinceStart();
  const first = [window('a', 60_000, 20)];
  served.add(first);
  assert.equal(served.of(first), 6 * 20 + 20);

  const next = [window('a', 70_000, 5), window('b', 0, 10)];
  served.add(next);
  assert.equal(served.of(next), (145 + 10) / 2);
});

test('where no requests are seen nothing is served', () => {
  const served = new ServedSinceStart();
  const { requests: _, ...blind } = window('a', 60_000, 20);
  served.add([blind]);

  assert.equal(served.of([blind]), 0);
});
