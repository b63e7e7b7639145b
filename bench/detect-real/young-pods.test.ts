import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { bucketOf } from '../../src/requests/latency-sketch.ts';
import type { RecordedPod } from './recorded-pods.ts';
import { measureYoungPods } from './young-pods.ts';

interface Did {
  readonly requests: number;
  readonly factor: number;
}

/** A request takes 5 ms and 2 ms of CPU, times a factor; moments make everybody slower. */
function aPod(id: string, looks: number, startedAtMs: number, did: (look: number) => Did): RecordedPod {
  const windowAt = (look: number): PodWindow => {
    const { requests, factor } = did(look);
    const moment = look % 2 === 0 ? 1 : 1.5;
    const none = { clientGone: 0, unfinished: 0, reset: 0, waited: [] };
    const latency = [bucketOf(5_000 * factor * moment), requests];
    const row = { method: 'GET', route: '/orders/{}', ...none, latency };
    return {
      ...{ pod: id, startMs: look * LOOK_MS, endMs: (look + 1) * LOOK_MS, podStartedAtMs: startedAtMs },
      ...{ samplesTaken: 0, samplesLost: 0, hz: 49, throttledUsec: 0, flags: '', stacks: [] },
      cpuUsec: 2_000 * requests * factor * moment,
      requests: {
        ...{ state: 'Seen', reason: '', message: '', lost: 0 },
        routes: [{ ...row, answers: [0, 0, requests, 0, 0, 0] }],
      },
    };
  };
  const all = Array.from({ length: looks }, (_, look) => [look, windowAt(look)] as const);
  return {
    ...{ id, arm: 'stable', hash: 'a', jdk: '25', firstMs: 0, lastMs: looks * LOOK_MS },
    cold: new Map(all.slice(0, 4).filter(() => startedAtMs === 0)),
    looks: new Map(startedAtMs === 0 ? all.slice(4) : all),
  };
}

test('a pod that is slow until it has served so many is set beside old ones at the same moments', () => {
  const old = [0, 1].map((pod) => aPod(`old-${pod}`, 40, -7_200_000, () => ({ requests: 90, factor: 1 })));
  const young = aPod('young', 40, 0, (look) => ({ requests: 50, factor: look < 8 ? 3 : 1 }));

  const lines = measureYoungPods([young], old);

  const served = lines.filter(({ by }) => by === 'served');
  assert.deepEqual(
    served.map(({ from, requests }) => [from, requests]),
    [
      [0, 100],
      [100, 100],
      [200, 200],
      [400, 200],
      [600, 200],
      [800, 800],
      [1_600, 400],
    ],
  );
  for (const { from, cpuRatio, p50Ratio } of served) {
    const factor = from < 400 ? 3 : 1;
    assert.ok(Math.abs(cpuRatio - factor) < 1e-9, `${from}: ${cpuRatio}`);
    assert.ok(Math.abs(p50Ratio - factor) < 0.1, `${from}: ${p50Ratio}`);
  }
  assert.deepEqual(
    lines.filter(({ by }) => by === 'age').map(({ from, to }) => [from, to]),
    [
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
      [8, 12],
      [12, 16],
      [16, 24],
    ],
  );
});
