import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fallingFactor, GrowthBound } from './growth-bound.ts';
import { normalQuantile } from './quantiles.ts';
import { seededRandom } from './seeded-random.ts';

test('without more information to come the factor is the normal quantile', () => {
  assert.ok(Math.abs(fallingFactor(0.01, 1) - normalQuantile(0.99)) < 1e-6);
});

test('harmless growth meets the bound at any look as often as it was told, while its information grows eightfold', () => {
  const growth = 8;
  const looks = 400;
  const random = seededRandom(5);
  const factor = fallingFactor(0.05, growth);
  let met = 0;
  const gates = 4_000;
  for (let gate = 0; gate < gates; gate++) {
    // Brownian motion in the information, from one at the first look to `growth`.
    let at = normalOf(random);
    let isMet = false;
    for (let look = 0; look <= looks && !isMet; look++) {
      const information = growth ** (look / looks);
      isMet = at / Math.sqrt(information) >= factor * (growth / information) ** (1 / 4);
      at += Math.sqrt(growth ** ((look + 1) / looks) - information) * normalOf(random);
    }
    if (isMet) met += 1;
  }

  // Looks have gaps, so a little less than 5 %; four standard errors above.
  assert.ok(met / gates > 0.035 && met / gates < 0.064, `${met} of ${gates}`);
});

test('before a twelfth of the planned time the bound proves nothing', () => {
  const bound = new GrowthBound(0.002, 12);

  assert.equal(bound.at(0.9, { sampling: 0.001, pods: 0.0004 }), undefined);
  assert.ok((bound.at(1, { sampling: 0.001, pods: 0.0004 }) ?? 0) > 0);
});

test('with time the bound falls to that of the pods alone, and no further', () => {
  const bound = new GrowthBound(0.002, 15);
  const pods = 0.0004;
  const after = (blocks: number): number => bound.at(blocks, { sampling: 0.002 / blocks, pods }) ?? 0;

  assert.ok(after(2) > after(5) && after(5) > after(15));
  assert.ok(after(15) > -normalQuantile(0.002) * Math.sqrt(pods));
});

const normalOf = (random: () => number): number => normalQuantile(Math.max(1e-12, random()));
