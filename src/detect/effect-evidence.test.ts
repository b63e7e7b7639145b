import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EffectEvidence, growthExceedsMargin, onePodCarries } from './effect-evidence.ts';

const pods = (...counted: readonly number[]) => counted.map((each) => ({ requests: 10_000, counted: each }));

test('one of three pods carries it when most of the excess is in it', () => {
  assert.equal(onePodCarries(pods(100, 250, 105), 0.01), true);
  assert.equal(onePodCarries(pods(180, 250, 150), 0.01), false);
  assert.equal(onePodCarries(pods(90, 250, 60), 0.01), true);
});

test('one that carries most of it is not blamed where the others have grown themselves', () => {
  const most = pods(110, 250, 130);

  assert.equal(onePodCarries(most, 0.01), true);
  assert.equal(onePodCarries(most, 0.01, 0.001), false);
  assert.equal(onePodCarries(most, 0.01, 0.003), true);
});

test('of two pods none is blamed: either may be the odd one', () => {
  assert.equal(onePodCarries(pods(100, 250), 0.01), false);
});

test('what began later counts where the canary is slower than the baseline too, by half of the margin', () => {
  const since = (effect: number, beside: number): EffectEvidence => ({
    ...{ effect: 0.02, half: 0.05, margin: 0.1, isProven: true, detectable: 0.1, baseline: 80, canary: 82 },
    ...{ assumedSpread: false, onePod: false },
    onset: { block: 4, effect, half: 0.05, beside, isSuspect: true },
  });

  assert.equal(growthExceedsMargin(since(0.15, 0.12)), true);
  assert.equal(growthExceedsMargin(since(0.15, 0.06)), true);
  assert.equal(growthExceedsMargin(since(0.15, 0.04)), false);
  assert.equal(growthExceedsMargin(since(0.08, 0.12)), false);
  const { onset: _, ...sinceItBegan } = since(0.15, 0.12);
  assert.equal(growthExceedsMargin(sinceItBegan), false);
  assert.equal(growthExceedsMargin({ ...sinceItBegan, effect: 0.11 }), true);
});

test('proven growth counts from the least that may be the margin', () => {
  const proven: EffectEvidence = {
    ...{ effect: 0.08, half: 0.05, margin: 0.1, isProven: true, detectable: 0.1, baseline: 80, canary: 87 },
    ...{ assumedSpread: false, onePod: false },
  };

  assert.equal(growthExceedsMargin(proven), false);
  assert.equal(growthExceedsMargin({ ...proven, leastToFail: 0.07 }), true);
});
