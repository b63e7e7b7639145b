import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeGrowth } from './profile-growth.ts';
import { seededRandom } from './seeded-random.ts';

const OPTIONS = { margin: 0.02, level: 0.01 };
const NAMES = Array.from({ length: 40 }, (_, i) => `shop.F${i}`);

/** Samples of forty functions, the first the most; `slower` takes so much more of the whole. */
function sampled(samples: number, random: () => number, slower = 0) {
  const counts = new Map<string, number>();
  for (let i = 0; i < samples; i++) {
    const isSlower = random() < slower;
    const name = isSlower ? 'shop.F7' : (NAMES[Math.floor(random() ** 2 * NAMES.length)] ?? '');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Array.from(counts, ([name, count]) => ({ frames: [name, 'main'], count }));
}

test('equal profiles are called a regression in one of a hundred at most, whatever the margin', () => {
  const random = seededRandom(11);
  const failed = Array.from({ length: 400 }, () =>
    judgeGrowth(sampled(2_000, random), sampled(3_000, random), { ...OPTIONS, margin: 0 }),
  ).filter(({ verdict }) => verdict === 'Failed').length;
  assert.ok(failed <= 8, `${failed} of 400`); // 4 are expected at most; 9 or more come once in 50 runs of this
});

test('growth that is beyond the margin is found and named, with how much it is at least', () => {
  const random = seededRandom(12);
  const { verdict, grown } = judgeGrowth(sampled(6_000, random), sampled(6_000, random, 0.05), OPTIONS);

  assert.equal(verdict, 'Failed');
  assert.deepEqual(
    grown.map(({ name }) => name),
    ['shop.F7'],
  );
  assert.ok((grown[0]?.least ?? 0) > 0.01 && (grown[0]?.least ?? 1) < 0.05);
});

test('it passes where no function can have grown by the margin, and says how much it could be', () => {
  const random = seededRandom(13);
  const { verdict, most } = judgeGrowth(sampled(40_000, random), sampled(40_000, random), OPTIONS);

  assert.equal(verdict, 'Passed');
  assert.ok(most > 0.002 && most < 0.02);
});

test('with few samples, or none, nothing is said', () => {
  const random = seededRandom(14);
  assert.equal(judgeGrowth(sampled(200, random), sampled(200, random), OPTIONS).verdict, 'Inconclusive');
  assert.equal(judgeGrowth([], sampled(9_000, random), OPTIONS).verdict, 'Inconclusive');
  assert.equal(judgeGrowth([], [], OPTIONS).most, 1);
});

test('a new function fails, one that is gone does not', () => {
  const [before, after] = [
    [{ frames: ['main'], count: 5_000 }],
    [
      { frames: ['main'], count: 4_500 },
      { frames: ['shop.New', 'main'], count: 500 },
    ],
  ];
  assert.deepEqual(
    judgeGrowth(before, after, OPTIONS).grown.map(({ name }) => name),
    ['shop.New'],
  );
  assert.equal(judgeGrowth(after, before, OPTIONS).verdict, 'Passed');
});
