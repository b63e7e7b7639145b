import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClusteredGate, effectiveGates, intervalOfPart } from './placebo-dependence.ts';
import { chooseCanaries } from './relabelled-pods.ts';
import { type Random, seededRandom } from './seeded-random.ts';

const PODS = Array.from({ length: 12 }, (_, pod) => `pod-${pod}`);
const TIMES = 5;

const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Gates whose nearness is made of their pods, their time, their pods at that time, and of nothing they share. */
function gatesOf(parts: { pod: number; time: number; own: number }, random: Random): ClusteredGate[] {
  const ofPod = new Map(PODS.map((pod) => [pod, parts.pod * normal(random)]));
  return Array.from({ length: TIMES }, (_, time) => {
    const ofTime = parts.time * normal(random);
    return chooseCanaries(PODS, 3, 220, random).map((pods) => {
      const shared = pods.reduce((sum, pod) => sum + (ofPod.get(pod) ?? 0), 0) / Math.sqrt(3);
      const nearness = shared + ofTime + parts.own * normal(random);
      return { time, pods, nearness, failed: false };
    });
  }).flat();
}

/** How far the part above a fixed bound strays when everything is drawn anew, as a number of independent gates. */
function trueWorth(parts: Parameters<typeof gatesOf>[0], bound: number): number {
  const shares = Array.from({ length: 150 }, (_, seed) => {
    const gates = gatesOf(parts, seededRandom(1_000 + seed));
    return gates.filter(({ nearness }) => nearness >= bound).length / gates.length;
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1);
  return (mean * (1 - mean)) / variance;
}

const estimates = (parts: Parameters<typeof gatesOf>[0]): number[] =>
  Array.from({ length: 7 }, (_, seed) =>
    effectiveGates(gatesOf(parts, seededRandom(seed)), seededRandom(50 + seed)),
  ).sort((a, b) => a - b);

test('gates that share nothing are worth many times those that do', () => {
  const worths = estimates({ pod: 0, time: 0, own: 1 });

  assert.ok((worths[3] ?? 0) > 0.5 * 1_100 && (worths[0] ?? 0) > 100, worths.join(' '));
});

test('gates that share pods are worth what the spread of their rate says', () => {
  const parts = { pod: 0.8, time: 0, own: 0.6 };
  const median = estimates(parts)[3] ?? 0;
  const truth = trueWorth(parts, 1.2816); // the upper tenth of a normal variable

  assert.ok(median > truth / 2 && median < 2 * truth, `${median}, in truth ${truth}`);
});

test('gates that share a time are worth little more than there are times', () => {
  const parts = { pod: 0, time: 0.8, own: 0.6 };
  const median = estimates(parts)[3] ?? 0;
  const truth = trueWorth(parts, 1.2816);

  assert.ok(median > truth / 2 && median < 2 * truth, `${median}, in truth ${truth}`);
});

test('failures that all have one pod are worth no more than the pods', () => {
  const gates = gatesOf({ pod: 0, time: 0, own: 1 }, seededRandom(3)).map((gate) => ({
    ...gate,
    failed: gate.pods.includes('pod-3'),
  }));

  const worth = effectiveGates(gates, seededRandom(4));

  assert.ok(worth < 20, `${worth}`);
});

test('none of so many: the upper bound is that of the rule of three, nearly', () => {
  const [low, high] = intervalOfPart(0, 1_000);

  assert.equal(low, 0);
  assert.ok(high > 0.003 && high < 0.004, `${high}`);
  assert.deepEqual(intervalOfPart(0, 0), [0, 1]);
});
