import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf, relabelled } from '../../src/detect/baseline-history.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import type { RecordedPod } from './recorded-pods.ts';
import { historyOfReplicas, replicasOf } from './replicas.ts';

/** Looks `from` to `to`; the first two of them cold. */
function aPod(id: string, from: number, to: number): RecordedPod {
  const windowAt = (look: number): PodWindow => ({
    ...{ pod: id, startMs: look * LOOK_MS, endMs: (look + 1) * LOOK_MS, podStartedAtMs: from * LOOK_MS },
    ...{ samplesTaken: 0, samplesLost: 0, hz: 49, cpuUsec: 0, throttledUsec: 0, flags: '', stacks: [] },
  });
  const warm = Array.from({ length: to - from - 2 }, (_, at) => from + 2 + at);
  return {
    ...{ id, arm: 'stable', hash: 'a', jdk: '25' },
    ...{ firstMs: from * LOOK_MS, lastMs: to * LOOK_MS },
    cold: new Map(),
    looks: new Map(warm.map((look) => [look, windowAt(look)])),
  };
}

const PODS = [aPod('a', 0, 40), aPod('b', 0, 14), aPod('c', 0, 40), aPod('b2', 13, 26), aPod('b3', 26, 40)];

test('a pod that was restarted goes on in the place of the one before it', () => {
  const replicas = replicasOf(PODS).map((replica) => replica.map(({ id }) => id));

  assert.deepEqual(replicas, [['a'], ['b', 'b2', 'b3'], ['c']]);
});

test('placebo gates see a replica through its restarts, but for its warm-ups', () => {
  const history = historyOfReplicas(PODS);
  const podOf = (look: number): string | undefined =>
    relabelled(history, look - history.startMs / LOOK_MS, new Set(['replica-01'])).canary[0]?.pod;

  assert.equal(history.pods.length, 3);
  assert.deepEqual([history.startMs / LOOK_MS, blocksOf(history)], [4, 35]);
  assert.deepEqual([13, 14, 15, 25, 26, 27, 28].map(podOf), [
    'b',
    undefined,
    'b2',
    'b2',
    undefined,
    undefined,
    'b3',
  ]);
});

test('a pod that came late and replaced none is no replica of this recording', () => {
  assert.equal(historyOfReplicas([...PODS, aPod('late', 24, 40)]).pods.length, 3);
});
