import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascendingOrder } from './ascending-order.ts';
import { seededRandom } from './seeded-random.ts';

test('positions come as a stable sort by a comparator gives them', () => {
  const random = seededRandom(4);
  const wild = Array.from({ length: 2_000 }, () => (random() - 0.5) * 10 ** Math.floor(40 * random() - 20));
  const values = Float64Array.of(...wild, 0, -0, 1, 0, Infinity, -Infinity, 5e-324, -5e-324, 1, -0);

  const expected = [...values.keys()].sort((a, b) => {
    const [left = 0, right = 0] = [values[a], values[b]];
    return left < right ? -1 : left > right ? 1 : a - b;
  });
  assert.deepEqual([...ascendingOrder(values)], expected);
});

test('of no values there is no order, of equal ones their own', () => {
  assert.deepEqual([...ascendingOrder(new Float64Array(0))], []);
  assert.deepEqual([...ascendingOrder(Float64Array.of(3, 3, 3))], [0, 1, 2]);
});
