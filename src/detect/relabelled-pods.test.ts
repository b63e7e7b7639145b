import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choices, chooseCanaries } from './relabelled-pods.ts';
import { seededRandom } from './seeded-random.ts';

const pods = (count: number): string[] => Array.from({ length: count }, (_, pod) => `pod-${pod}`);
const keys = (chosen: readonly (readonly string[])[]): Set<string> =>
  new Set(chosen.map((some) => some.join()));

test('few choices are all made, each once', () => {
  const chosen = chooseCanaries(pods(12), 3, 220, seededRandom(1));

  assert.equal(chosen.length, choices(12, 3));
  assert.equal(chosen.length, 220);
  assert.equal(keys(chosen).size, 220);
  for (const pod of pods(12)) assert.equal(chosen.filter((some) => some.includes(pod)).length, 55);
});

test('of many choices as many as wanted are drawn, different ones, the same for the same seed', () => {
  const draw = (seed: number) => chooseCanaries(pods(24), 3, 100, seededRandom(seed));

  assert.equal(keys(draw(1)).size, 100);
  assert.ok(draw(1).every((some) => new Set(some).size === 3));
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
});

test('more canaries than pods, or none, is no choice', () => {
  assert.deepEqual(chooseCanaries(pods(2), 3, 10, seededRandom(1)), []);
  assert.deepEqual(chooseCanaries(pods(2), 0, 10, seededRandom(1)), []);
});
