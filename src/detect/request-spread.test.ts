import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PodCounts } from './pod-counts.ts';
import { estimateSpread, podFactors } from './request-spread.ts';

const ASSUMED = { podSd: 0.05, leastPodSd: 0.01, waveSd: 0.04 };
const DENSITY = 0.04; // of P99: one per cent more latency brings 0.04 % of requests across it

/** Pods that count `0.01 + DENSITY · stray(pod, block)` of `requests` in each block. */
function countsOf(
  pods: number,
  blocks: number,
  requests: number,
  stray: (pod: number, block: number) => number,
): PodCounts {
  const counts = new PodCounts();
  for (let pod = 0; pod < pods; pod++) {
    for (let block = 0; block < blocks; block++) {
      counts.add(`pod-${pod}`, block, { requests, counted: requests * (0.01 + DENSITY * stray(pod, block)) });
    }
  }
  return counts;
}

/** Numbers of variance 1 and mean 0 that do not go along with each other. */
const unit = (at: number): number => (at % 2 === 0 ? 1 : -1);
const other = (at: number): number => (at % 4 < 2 ? 1 : -1);

test('many pods with many requests show their own spread, nothing of the assumption', () => {
  const arm = countsOf(20, 12, 1e7, (pod) => 0.03 * unit(pod));

  const { podVariance, waveVariance, assumed } = estimateSpread([arm], DENSITY, ASSUMED);

  assert.ok(Math.abs(Math.sqrt(podVariance) / 0.03 - 1) < 0.05, `${Math.sqrt(podVariance)}`);
  assert.ok(Math.sqrt(waveVariance) < 0.002);
  assert.equal(assumed, false);
});

test('what comes and goes is a wave, and no spread between pods', () => {
  const arm = countsOf(20, 40, 1e7, (pod, block) => 0.06 * unit(pod) * other(block));

  const { podVariance, waveVariance } = estimateSpread([arm], DENSITY, ASSUMED);

  assert.ok(Math.abs(Math.sqrt(waveVariance) / 0.06 - 1) < 0.05, `${Math.sqrt(waveVariance)}`);
  assert.ok(podVariance < 0.012 ** 2, `${Math.sqrt(podVariance)}`);
});

test('a wave longer than a block counts as what it leaves over ten minutes', () => {
  const long = (pod: number, block: number): number =>
    0.06 * unit(pod) * (Math.floor(block / 5) % 2 ? 1 : -1);

  const { waveVariance } = estimateSpread([countsOf(20, 40, 1e7, long)], DENSITY, ASSUMED);

  assert.ok(waveVariance > 4 * 0.06 ** 2, `${waveVariance}`);
});

test('three pods that agree leave the assumption standing in large part', () => {
  const arm = countsOf(3, 10, 1e7, () => 0);

  const { podVariance, assumed, degreesOfFreedom } = estimateSpread([arm, arm], DENSITY, ASSUMED);

  assert.ok(Math.sqrt(podVariance) > 0.03 && Math.sqrt(podVariance) < 0.05, `${Math.sqrt(podVariance)}`);
  assert.equal(assumed, true);
  assert.equal(degreesOfFreedom, 8);
});

test('few requests tell little of the pods: the assumption stands', () => {
  const arm = countsOf(20, 5, 200, () => 0);

  const { podVariance, assumed } = estimateSpread([arm], DENSITY, ASSUMED);

  assert.ok(Math.sqrt(podVariance) > 0.045, `${Math.sqrt(podVariance)}`);
  assert.equal(assumed, true);
});

test('neither what a moment did to all pods nor a difference between arms is spread', () => {
  const baseline = countsOf(20, 12, 1e7, (_, block) => 0.2 * unit(block));
  const canary = countsOf(3, 12, 1e7, (_, block) => 0.3 + 0.2 * unit(block));

  const { podVariance, waveVariance } = estimateSpread([baseline, canary], DENSITY, ASSUMED);

  assert.ok(Math.sqrt(podVariance) < 0.011);
  assert.ok(Math.sqrt(waveVariance) < 0.005);
});

test('three canary pods with a tenth of the requests tell as much of pods as three others', () => {
  const baseline = countsOf(20, 12, 1e7, (pod) => 0.03 * unit(pod));
  const canary = countsOf(3, 12, 1e6, (pod) => 0.1 * (pod - 1));

  const { podVariance } = estimateSpread([baseline, canary], DENSITY, ASSUMED);

  const pooled = (20 * 0.03 ** 2 + 2 * 0.1 ** 2) / 21;
  assert.ok(Math.abs(podVariance / pooled - 1) < 0.05, `${podVariance}, not ${pooled}`);
});

test('a block that is not over yet tells nothing of how far pods stray', () => {
  const arm = countsOf(20, 12, 1e7, (pod) => 0.03 * unit(pod));
  const over = estimateSpread([arm], DENSITY, ASSUMED);
  for (let pod = 0; pod < 20; pod++) arm.add(`pod-${pod}`, 12, { requests: 10, counted: pod % 2 });
  arm.add('young', 12, { requests: 10, counted: 5 });

  assert.deepEqual(estimateSpread([arm], DENSITY, ASSUMED, { before: 12 }), over);
  assert.notDeepEqual(estimateSpread([arm], DENSITY, ASSUMED), over);
});

test('a single canary pod has to stray further than three do', () => {
  const spread = estimateSpread([countsOf(20, 12, 1e7, (pod) => 0.03 * unit(pod))], DENSITY, ASSUMED);

  const one = podFactors(spread, 0.001, 1);
  const three = podFactors(spread, 0.001, 3);

  // Student's t of 4 and of 16 degrees of freedom over the normal quantile.
  assert.ok(Math.abs(one.test - 7.1732 / 3.0902) < 1e-3, `${one.test}`);
  assert.ok(Math.abs(three.test - 3.6862 / 3.0902) < 1e-3, `${three.test}`);
  assert.ok(one.bound > three.bound);
});
