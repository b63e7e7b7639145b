import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrowthBound } from './growth-bound.ts';
import { normalQuantile } from './quantiles.ts';
import { seededRandom } from './seeded-random.ts';

const PLANNED = 15;
const PODS = 0.0004;
const SAMPLING = 0.006; // of one block

/** Part of harmless canaries whose estimate meets the bound at any look; `gains`: standard deviation of what their pods gain together. */
function metBy(bound: GrowthBound, ageing: number, gains = 0): number {
  const random = seededRandom(5);
  const gates = 3_000;
  const looks = 300;
  let met = 0;
  for (let gate = 0; gate < gates; gate++) {
    const lottery = Math.sqrt(PODS) * normalOf(random);
    const gain = gains * normalOf(random);
    let sum = 0;
    for (let look = 1; look <= looks; look++) {
      const blocks = (look * PLANNED) / looks;
      sum += Math.sqrt((SAMPLING * PLANNED) / looks) * normalOf(random);
      const estimate = lottery + sum / blocks + (gain * look) / looks;
      const least = bound.at(blocks, { sampling: SAMPLING / blocks, pods: PODS, ageing });
      if (least === undefined || estimate < least) continue;
      met += 1;
      break;
    }
  }
  return met / gates;
}

test('harmless growth meets the bound at any look as often as it was told', () => {
  const part = metBy(new GrowthBound(0.05, PLANNED), 0);

  // Looks have gaps, so a little less than 5 %; four standard errors above.
  assert.ok(part > 0.03 && part < 0.064, `${part}`);
});

test('what all canary pods gain or lose together as they age meets it no more often where that much is allowed for', () => {
  const bound = new GrowthBound(0.05, PLANNED);
  const ageing = 0.03;

  assert.ok(metBy(bound, ageing, ageing) < 0.064);
  assert.ok(metBy(bound, 0, ageing) > 0.07);
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
