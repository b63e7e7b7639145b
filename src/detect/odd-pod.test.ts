import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oddPod } from './odd-pod.ts';

const VARIANCE = 0.0025;
const podsOf = (...growths: number[]) =>
  growths.map((growth, at) => ({ name: `pod-${at}`, growth, variance: VARIANCE }));

test('a pod that is slow for itself is the odd one, and where all are slower there is none', () => {
  assert.equal(oddPod(podsOf(0.02, 0.4, -0.03), 0)?.name, 'pod-1');
  assert.equal(oddPod(podsOf(0.14, 0.2, 0.09), 0), undefined);
});

test('two slow pods of three are no odd one, and of two pods none is blamed', () => {
  assert.equal(oddPod(podsOf(0.4, 0.35, 0.01), 0), undefined);
  assert.equal(oddPod(podsOf(0.4, 0), 0), undefined);
});

test('of n equal pods one is odd that has more than 1/√n of all growth', () => {
  assert.equal(oddPod(podsOf(0.57, 0.2, 0.23), 0), undefined);
  assert.equal(oddPod(podsOf(0.59, 0.2, 0.21), 0)?.name, 'pod-0');
});

test('a pod with few requests is less of an odd one', () => {
  const [slow, ...others] = podsOf(0.5, 0.18, 0.15);
  assert.ok(slow !== undefined);

  assert.equal(oddPod([slow, ...others], 0)?.name, 'pod-0');
  assert.equal(oddPod([{ ...slow, variance: 4 * VARIANCE }, ...others], 0), undefined);
});

test('growth beside few baseline pods is a little of what those are, in all alike', () => {
  const pods = podsOf(0.3, 0.13, 0.13);

  assert.equal(oddPod(pods, 0), undefined);
  assert.equal(oddPod(pods, 4 * VARIANCE)?.name, 'pod-0');
});
