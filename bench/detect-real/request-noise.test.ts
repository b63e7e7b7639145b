import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeWindows } from '../../src/detect/merged-window.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import { simulateRequests } from '../../test/reference/simulated-requests.ts';
import { lookOf, type RecordedPod } from './recorded-pods.ts';
import { measureRequestNoise } from './request-noise.ts';

/** Twelve pods for an hour; CPU goes with requests, and the first pod takes 20 % more of it for each. */
function somePods(noise: { podSd: number; waveSd: number }): RecordedPod[] {
  const { baseline } = simulateRequests({
    ...{ seed: 5, requestsPerSecond: 240, windows: 360, canaryPart: 0.01, baselinePods: 12, canaryPods: 1 },
    noise: { ...noise, commonSd: 0.1, bursts: 0 },
  });
  return [...Map.groupBy(baseline, ({ pod }) => pod)].map(([id, windows]) => {
    const burning = windows.map((window) => ({
      ...window,
      cpuUsec: cpuOf(window) * (id.endsWith('-0') ? 1.2 : 1),
    }));
    const looks = Map.groupBy(burning, lookOf);
    return {
      ...{ id, arm: 'stable', hash: 'a', jdk: '25', firstMs: 0, lastMs: 3_600_000 },
      cold: new Map(),
      looks: new Map([...looks].map(([look, [first, ...others]]) => [look, merged(first, others)])),
    };
  });
}

function merged(first: PodWindow | undefined, others: readonly PodWindow[]): PodWindow {
  assert(first !== undefined);
  return mergeWindows([first, ...others]);
}

const cpuOf = ({ requests }: PodWindow): number =>
  4_000 * (requests?.routes ?? []).reduce((sum, { answers }) => sum + answers[2], 0);

const near = (value: number | undefined, wanted: number, part: number): boolean =>
  value !== undefined && Math.abs(value - wanted) <= part * wanted;

test('what pods differ by, and their waves, are found again whatever all of them do', () => {
  const [p50, p99] = measureRequestNoise(somePods({ podSd: 0.06, waveSd: 0.1 }), [0.5, 0.99]);

  assert.ok(near(p50?.podSd, 0.06, 0.5), JSON.stringify(p50));
  assert.ok(near(p99?.podSd, 0.06, 0.6), JSON.stringify(p99));
  assert.ok(near(p50?.ms, 15, 0.1) && near(p99?.ms, 80, 0.15));
  assert.ok((p50?.phi120 ?? 0) > 1.5 && Math.abs(p50?.correlation600 ?? 1) < 0.2, JSON.stringify(p50));
});

test('pods that are alike differ by nothing, and their requests are independent', () => {
  const [p50] = measureRequestNoise(somePods({ podSd: 0, waveSd: 0 }), [0.5]);

  assert.ok((p50?.podSd ?? 1) < 0.01 && near(p50?.phi120 ?? 0, 1, 0.15), JSON.stringify(p50));
  assert.ok(Math.abs(p50?.correlation120 ?? 1) < 0.12, JSON.stringify(p50));
});

test('a pod that takes more CPU for each request shows between pods, not in time', () => {
  const cpu = measureRequestNoise(somePods({ podSd: 0, waveSd: 0 }), []).at(-1);

  assert(cpu?.measure === 'CPU a request');
  assert.ok(near(cpu.podSd, Math.log(1.2) / Math.sqrt(12), 0.15), JSON.stringify(cpu));
  assert.ok(cpu.waveSd < 0.02 && cpu.phi120 === null, JSON.stringify(cpu));
});

test('pods that served for less than half an hour say nothing', () => {
  const short = somePods({ podSd: 0, waveSd: 0 }).map((pod) => ({
    ...pod,
    looks: new Map([...pod.looks].slice(0, 50)),
  }));

  assert.deepEqual(measureRequestNoise(short, [0.5]), []);
});
